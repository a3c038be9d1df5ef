#!/bin/sh
# The program with the libraries that came with it, in every process that it starts.
PYTHONPATH=/usr/lib/dupfind exec /usr/bin/python3 -P -m dupfind "$@"
