"""The judge, for anybody's implementation: what goes in, what is right, how wrong is allowed, and the report."""
