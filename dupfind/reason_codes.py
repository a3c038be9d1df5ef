"""Stable short words for why a verdict is what it is, for programs; the sentences beside them may change."""

from __future__ import annotations

SAME_IMAGE_DATA = "same-image-data"
"""The image data of needle and witness are equal, whatever their metadata say."""
