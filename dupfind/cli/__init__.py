"""The command line: a click group, one file a command, and each shared option named once in ``options``."""
