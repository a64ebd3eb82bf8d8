"""A model of a text's next character: ``python -m reference.char_lm``.  notes/char_lm.md"""
