#!/bin/sh
# Install the wheel as users do, with pipx and with uv, each into a folder of its own, and see that it is right there:
#
#   packaging/try-tools.sh [WHEEL]
#
# Without a WHEEL it builds one. pip and uv ask the index that they are configured for, uv by UV_DEFAULT_INDEX.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
python3 -m venv "$top/tools"
"$top/tools/bin/pip" install --quiet --disable-pip-version-check pipx uv build

wheel=${1:-}
if [ -z "$wheel" ]; then
    "$top/tools/bin/python" -m build --wheel --outdir "$top/dist" "$root" >"$top/build.log" 2>&1 || { cat "$top/build.log"; exit 1; }
    wheel=$(echo "$top"/dist/*.whl)
fi

try() { # what is tried, and the folder of its commands
    for command in --version selftest; do
        XDG_CACHE_HOME="$top/cache" "$2/dupfind" "$command" >"$top/said" 2>&1 || { cat "$top/said"; echo "$1: dupfind $command failed"; exit 1; }
    done
    echo "$1: $(tail -n 1 "$top/said")"
}

PIPX_HOME="$top/pipx" PIPX_BIN_DIR="$top/pipx/bin" PIPX_MAN_DIR="$top/pipx/man" "$top/tools/bin/pipx" install --quiet "$wheel" >&2
try "pipx install" "$top/pipx/bin"
test -e "$top/pipx/man/man1/dupfind.1" || { echo "pipx install: no manual page"; exit 1; }
UV_TOOL_DIR="$top/uv" UV_TOOL_BIN_DIR="$top/uv/bin" UV_CACHE_DIR="$top/uv-cache" "$top/tools/bin/uv" tool install --quiet "$wheel"
try "uv tool install" "$top/uv/bin"
