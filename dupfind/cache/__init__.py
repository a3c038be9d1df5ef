"""Memory from run to run."""
