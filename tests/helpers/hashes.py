"""The hashes as ImageHash makes them."""

from __future__ import annotations

import imagehash

TRUE = {
    "phash": imagehash.phash,
    "dhash": imagehash.dhash,
    "ahash": imagehash.average_hash,
    "whash": imagehash.whash,
}
