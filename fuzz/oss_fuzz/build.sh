#!/bin/bash -eu
# Build one program for each target of fuzz/guided.py, with a corpus of the samples beside it.
SETUPTOOLS_SCM_PRETEND_VERSION=0+fuzz pip3 install '.[jxl,raw]'
for target in jpeg_stream parts headers containers; do
    cp fuzz/guided.py "fuzz_$target.py"
    compile_python_fuzzer "fuzz_$target.py" --add-data dupfind:dupfind --add-data fuzz:fuzz
done
python3 -c 'from pathlib import Path; from fuzz.guided import write_corpus; write_corpus(Path("corpus"))'
for target in jpeg_stream parts headers containers; do
    (cd corpus && zip -q -r "$OUT/fuzz_${target}_seed_corpus.zip" .)
done
