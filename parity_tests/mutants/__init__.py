"""Mutants: each line changed a little by mutmut, and the tests of its room asked whether they notice."""
