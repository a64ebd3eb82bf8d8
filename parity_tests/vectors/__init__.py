"""Golden vectors: every case of the judge as plain files, for implementations that are not called from Python.  notes/vectors.md"""
