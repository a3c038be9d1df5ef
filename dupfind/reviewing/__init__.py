"""The page of a scan, live: served on loopback, with decisions kept as they are made."""
