"""``python -m parity_tests.demo``: real text and a real series through NumPy and PyTorch, in a minute or two.

real.py         cases of the suite whose input is Shakespeare or sunspots
parity.py       both sides on them, every output and gradient; and one line broken, which the report must name
characters.py   a character model trained on both sides from the same weights, and text from it
sunspots.py     a forecast beside its baselines
drawing.py      the curves
__main__.py     all of them, and out/demo.html, which shows it
"""
