#!/bin/sh
# Write the locks anew: every version and every hash that the index knows of it, for all systems and Pythons.
set -eu
cd "$(dirname "$0")/.."
UV=${UV:-uv}
compile() {
    "$UV" pip compile --upgrade --generate-hashes --universal --python-version 3.11 --no-annotate --quiet \
        --custom-compile-command 'make lock' --output-file "$@"
}
compile packaging/lock.txt --all-extras pyproject.toml
printf 'build>=1.2,<2\nhatchling>=1.27\nhatch-vcs>=0.4\n' > build/build-requirements.txt
compile packaging/build-lock.txt build/build-requirements.txt
