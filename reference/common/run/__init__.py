"""A training run: what its loop is told (run.py), its files (files.py), whose folder it is (folder.py), where it goes on
(resuming.py), a list (listing.py)."""

from .board import board
from .files import BEST, CONFIG, LAST, LOG, PICTURE, Entry, cut_log, find, read_config, read_log
from .folder import Application, Folder, claimed
from .resuming import COUNTERS, counters, last
from .run import Counters, NonFiniteError, Result, Run, bar

__all__ = ["BEST", "CONFIG", "COUNTERS", "LAST", "LOG", "PICTURE"]
__all__ += ["Application", "Counters", "Entry", "Folder", "NonFiniteError", "Result", "Run"]
__all__ += ["bar", "board", "claimed", "counters", "cut_log", "find", "last", "read_config", "read_log"]
