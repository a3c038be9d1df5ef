"""What lies on the disks: folders and files as the walk sees them, names, digests; which two are one file."""
