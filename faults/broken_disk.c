/*
 * A disk that breaks at the nth call: loaded before the C library by faults/broken_disk.py.
 *
 * Counts the calls that write to, flush, cut, make or delete a file whose name holds FAULT_FILE. At call FAULT_CALL
 * either the process is killed, with half of what it wanted to write written, or the call fails with error
 * FAULT_ERRNO; with FAULT_LASTS all later calls fail too. FAULT_LOG gets a line for each call that was counted.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long count;

static int is_watched(const char *path) {
    const char *wanted = getenv("FAULT_FILE");
    return wanted != NULL && path != NULL && strstr(path, wanted) != NULL;
}

static int is_watched_handle(int handle) {
    char name[64], path[4096];
    ssize_t length;
    int before = errno;
    snprintf(name, sizeof name, "/proc/self/fd/%d", handle);
    length = readlink(name, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return is_watched(path);
}

static void note(const char *call) {
    static int (*true_open)(const char *, int, ...);
    static ssize_t (*true_write)(int, const void *, size_t);
    const char *log = getenv("FAULT_LOG");
    int handle;
    if (log == NULL) return;
    if (!true_open) true_open = dlsym(RTLD_NEXT, "open");
    if (!true_write) true_write = dlsym(RTLD_NEXT, "write");
    handle = true_open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (handle >= 0) {
        true_write(handle, call, strlen(call));
        true_write(handle, "\n", 1);
        close(handle);
    }
}

/* 0: go on; 1: fail, errno is set; 2: do half of it and die */
static int fate(const char *call) {
    const char *which = getenv("FAULT_CALL"), *number = getenv("FAULT_ERRNO");
    long wanted = which ? atol(which) : 0;
    note(call);
    count++;
    if (!wanted || count < wanted || (count > wanted && !getenv("FAULT_LASTS"))) return 0;
    if (number == NULL) return 2;
    errno = atoi(number);
    return 1;
}

static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

#define TRUE(name) \
    static __typeof__(name) *true_call; \
    if (!true_call) true_call = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define WRITER(name, kind_of_offset) \
    ssize_t name(int handle, const void *data, size_t length, kind_of_offset offset) { \
        TRUE(name); \
        if (is_watched_handle(handle)) switch (fate("write")) { \
            case 1: return -1; \
            case 2: true_call(handle, data, length / 2, offset); die(); \
        } \
        return true_call(handle, data, length, offset); \
    }
WRITER(pwrite, off_t)
WRITER(pwrite64, off64_t)

ssize_t write(int handle, const void *data, size_t length) {
    TRUE(write);
    if (is_watched_handle(handle)) switch (fate("write")) {
        case 1: return -1;
        case 2: true_call(handle, data, length / 2); die();
    }
    return true_call(handle, data, length);
}

#define HANDLED(name, label, parameters, arguments) \
    int name parameters { \
        TRUE(name); \
        if (is_watched_handle(handle)) switch (fate(label)) { \
            case 1: return -1; \
            case 2: die(); \
        } \
        return true_call arguments; \
    }
HANDLED(fsync, "flush", (int handle), (handle))
HANDLED(fdatasync, "flush", (int handle), (handle))
HANDLED(ftruncate, "cut", (int handle, off_t length), (handle, length))
HANDLED(ftruncate64, "cut", (int handle, off64_t length), (handle, length))

int unlink(const char *path) {
    TRUE(unlink);
    if (is_watched(path)) switch (fate("delete")) {
        case 1: return -1;
        case 2: die();
    }
    return true_call(path);
}

#define OPENER(name) \
    int name(const char *path, int flags, ...) { \
        static int (*true_call)(const char *, int, ...); \
        mode_t mode = 0; \
        if (!true_call) true_call = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        if (flags & O_CREAT) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
            if (is_watched(path)) switch (fate("make")) { \
                case 1: return -1; \
                case 2: die(); \
            } \
        } \
        return true_call(path, flags, mode); \
    }
OPENER(open)
OPENER(open64)
