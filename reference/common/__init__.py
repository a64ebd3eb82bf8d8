"""The floor under both backends: what is no network.  Batches, text, files, checks; nothing here has a gradient."""
