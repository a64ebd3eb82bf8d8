"""Golden vectors: every case of the judge as plain files, for implementations that Python does not call: notes/judge/vectors.md"""
