"""Forecasting a series end to end: ``python -m reference.forecast train|evaluate|predict``; notes/forecast.md.

Series, windows, scaling, baselines, metrics, files and plots are here, for both sides; a side gives the model and the
loop (``command.Side``).
"""
