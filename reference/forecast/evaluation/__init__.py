"""How good a forecast is: baselines.py it must beat, metrics.py, band.py around it, evaluate.py on a part, report.py in words."""
