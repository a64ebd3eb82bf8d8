"""Models with a hand-written backward: the four patterns of recurrent networks, the language model, the forecaster."""
