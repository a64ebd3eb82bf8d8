"""Forecasting a series end to end: ``python -m reference.forecast train|evaluate|predict``; notes/forecast.md.

Series, windows, scaling, baselines, metrics, files and plots are here, for both backends; a backend gives the model and the
loop (``backend.Backend``).
"""
