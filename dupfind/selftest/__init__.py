"""Known pictures, a small scan, a kill and a full disk: `dupfind selftest` tries on this machine what the tests try."""
