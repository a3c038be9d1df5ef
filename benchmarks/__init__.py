"""Measurements, run by hand or by ``make bench``; each prints a table with machine, versions and command."""
