#!/bin/sh
# Build the container and see that it is right as docs/packages.md runs it: nobody, read-only, no network, no rights.
#
#   packaging/try-container.sh [WHEELS]
#
# With WHEELS, a folder with all that the two locks pin, it is built without a network; `pip download --require-hashes
# --only-binary :all: --requirement packaging/lock.txt --dest WHEELS` fills it. BASE names the base image; where it is not
# here and no registry has it, one is made of Debian's packages (mmdebstrap, four minutes). PODMAN may bring options:
# PODMAN='podman --runtime runc' helps where crun says "hybrid mode not supported".
set -eu
cd "$(dirname "$0")/.."
PODMAN=${PODMAN:-podman}
BASE=${BASE:-localhost/dupfind-base:bookworm}
VERSION=${VERSION:-1.0.0.dev0}
WHEELS=${1:+$(realpath "$1")}
python=$(command -v "${PYTHON:-.venv/bin/python}")
work=$(mktemp -d)
trap '$PODMAN volume rm --force dupfind-try >/dev/null 2>&1; rm -rf "$work"' EXIT
fail() {
    echo "$0: $*" >&2
    exit 1
}

if ! $PODMAN image exists "$BASE" && ! $PODMAN pull --quiet "$BASE" 2>/dev/null; then
    echo "No registry has $BASE: making it of Debian's packages"
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,python-is-python3 bookworm "$work/base.tar"
    $PODMAN import --quiet "$work/base.tar" "$BASE" >/dev/null
fi
# No more than we have: who has no right to more is refused.
most=$(ulimit -H -u 2>/dev/null || echo 4096)
limits="--ulimit nofile=$(ulimit -Sn):$(ulimit -Hn) --ulimit nproc=$most:$most"
offline=
if [ -n "$WHEELS" ]; then
    printf '[global]\nno-index = true\nfind-links = /wheels\n' >"$work/pip.conf"
    offline="--network none --volume $WHEELS:/wheels:ro --volume $work/pip.conf:/etc/pip.conf:ro"
fi
# shellcheck disable=SC2086 # words
$PODMAN build --quiet --format docker $limits $offline --build-arg BASE="$BASE" --build-arg VERSION="$VERSION" \
    --file packaging/Containerfile --tag dupfind-try . >/dev/null
echo "Built: $($PODMAN image inspect --format '{{.Size}}' dupfind-try) bytes"

"$python" -m fixtures "$work/trees" >/dev/null
# As docs/packages.md says, with trees that nobody else may read. Root has nobody to keep, and lets nobody read.
if [ "$(id -u)" -eq 0 ]; then
    uid=65532
    who=
    chmod -R go+rX "$work"
else
    uid=$(id -u)
    who="--userns keep-id --user $uid:$(id -g)"
    chmod -R go-rwx "$work"
fi
sums() { (cd "$work/trees" && find . -type f -exec sha256sum {} + | sort && find . | sort); }
sums >"$work/before"
in_container() {
    # shellcheck disable=SC2086 # words
    $PODMAN run --rm --no-healthcheck --read-only --network none --cap-drop all --security-opt no-new-privileges $who --tmpfs /tmp $limits \
        --volume dupfind-try:/var/cache/dupfind \
        --volume "$work/trees/Masters:/photos:ro" --volume "$work/trees/Josie_Backup:/card:ro" "$@"
}
[ "$(in_container --entrypoint id dupfind-try -u)" = "$uid" ] || fail "it does not run as it was told"
[ "$(in_container dupfind-try --version | sed -n 1p)" = "dupfind $VERSION" ] || fail "it is of another version"
in_container --entrypoint sh dupfind-try -c 'touch /photos/x || touch /card/x || touch /x || touch /opt/dupfind/x' 2>/dev/null &&
    fail "it can write where it should not"
[ "$(in_container --entrypoint ls dupfind-try /sys/class/net)" = lo ] || fail "it has a network"
for run in first second; do
    code=0
    in_container dupfind-try scan --haystack /photos /card --format json --quiet >"$work/$run.json" || code=$?
    [ $code -eq 1 ] || fail "the $run scan ended with $code"
done
"$python" - "$work/first.json" "$work/second.json" <<'CHECK' || fail "the scans do not say what is so"
import json, sys
first, second = (json.load(open(path)) for path in sys.argv[1:])
assert first["summary"]["files"] == second["summary"]["files"], "the cache tells another answer"
assert first["summary"]["files"]["present"] and first["summary"]["files"]["missing"], "it does not see what is there"
assert first["summary"]["haystack"]["images"], "it decodes nothing"
CHECK
[ -n "$(in_container --entrypoint find dupfind-try /var/cache/dupfind -name '*.sqlite' -size +0)" ] ||
    fail "the cache does not outlive a run"
in_container dupfind-try selftest --no-progress || fail "selftest"
in_container dupfind-try doctor --output /dev/null || fail "the health check"
sums >"$work/after"
cmp -s "$work/before" "$work/after" || fail "the trees have changed"
echo "The container is as it should be."
