"""What is said of data that cannot be forecast."""


class SeriesError(ValueError):
    """Data that cannot be forecast, with the reason."""
