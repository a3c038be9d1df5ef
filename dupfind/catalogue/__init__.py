"""Catalogues of drives, in the place of their folders."""
