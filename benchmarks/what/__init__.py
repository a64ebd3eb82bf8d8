"""What is measured: configurations, presets, models."""
