"""Series as windows want them: rows in time, evenly spaced, no gaps, numbers only, the target first.

table.py reads a file, times.py its dates, frequency.py finds what is even about them, fill.py closes gaps, calendar.py adds
what is known of any date, series.py makes series of it, and packaged.py has those that ship in packages.
"""

from .errors import SeriesError
from .series import Reading, Series, changes, load

__all__ = ["Reading", "Series", "SeriesError", "changes", "load"]
