"""An Immich server as haystack, asked over its API."""
