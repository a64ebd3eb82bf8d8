"""A run of the judge: which cases on which device, in which processes, what is known to fail, what is kept, what changed."""
