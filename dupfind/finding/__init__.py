"""Was this picture seen before? ``dupfind find``."""
