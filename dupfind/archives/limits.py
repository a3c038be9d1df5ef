"""Bounds on what an archive may cost. What is beyond one of them is a problem, and nothing around it is contained."""

from __future__ import annotations

MOST_DEPTH = 2
"""Archives in each other: an archive, and one in it. In that one, archives are files."""
MOST_MEMBERS = 200_000
"""Files and folders in one archive. Each costs half a kilobyte of memory."""
MOST_NAME_LETTERS, MOST_FOLDERS = 4096, 64
"""In the path of a member. A folder is a row of the report."""
MOST_RATIO, LEAST_BOMB_BYTES = 250, 256 << 20
"""What an archive unpacks to: so many times its size at most, from so many bytes on. Photos reach 1.1, texts 20, and
deflate at most 1,032."""
MOST_MEMORY_BYTES = 32 << 20
"""A compressed member up to here is unpacked in memory by the process that reads it, a larger one in a scratch file."""
MOST_SCRATCH_BYTES = 64 << 30
"""What is unpacked on disk: for a run all compressed TARs and packed archives in archives together; for a process
that reads, one member."""
FREE_SHARE = 0.8
"""Of the room that is left where temporary files lie, no more is taken."""
MOST_READ_BYTES = 32 << 20
"""One piece of headers: the directory of a ZIP, which is loaded whole, a long name or a PAX header of a TAR."""
MOST_EXTRA_BYTES = 4 << 10
"""Extra fields of a member of a ZIP and comments: larger ones hold more than times and words."""
MOST_DICTIONARY_BYTES = 256 << 20
"""Memory that unpacking an xz stream may take; its strongest preset takes 65 MiB."""
