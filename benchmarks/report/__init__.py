"""Reporting it: tables, ratios, plots, comparisons."""
