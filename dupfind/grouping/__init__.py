"""What belongs together inside one collection: ``dupfind groups``."""
