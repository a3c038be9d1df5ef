"""Groups inside one collection: ``dupfind groups``."""
