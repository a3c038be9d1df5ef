"""The one comparison core: which pictures may be one, how good the best view of a pair is, which is the witness."""
