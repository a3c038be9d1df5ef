"""Catalogs of drives as a source, in the place of their folders."""
