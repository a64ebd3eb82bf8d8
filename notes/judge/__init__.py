"""Notes on the judge: what it allows, what an adapter promises, and what it found in libraries by others."""
