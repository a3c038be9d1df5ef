#!/bin/bash -eu
# Build one program for each target of fuzz/guided.py, with what it begins with beside it.
SETUPTOOLS_SCM_PRETEND_VERSION=0+fuzz pip3 install '.[jxl,raw,video,s3,webdav]' pytest # some of what it begins with is made by helpers of the tests
python3 -m fuzz.guided --seed-only --keep corpus
for target in $(python3 -m fuzz.guided --list); do
    cp fuzz/guided.py "fuzz_$target.py"
    compile_python_fuzzer "fuzz_$target.py" --add-data dupfind:dupfind --add-data fuzz:fuzz
    (cd "corpus/$target" && zip -q -r "$OUT/fuzz_${target}_seed_corpus.zip" .)
done
