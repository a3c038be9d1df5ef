"""Exact search within a Hamming radius; pure numpy."""
