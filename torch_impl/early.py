"""The first that a command of these packages does: ``early`` and ``begin`` of reference/common/extras.py.

They are taken from their file, whatever ``import reference`` finds.  Nothing is imported here that Python has not loaded by
itself when it looks for a command: until it is through, Ctrl-C is a traceback.
"""

import os
from importlib.util import module_from_spec, spec_from_file_location

OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "reference")  # noqa: PTH100, PTH118, PTH120

_spec = spec_from_file_location("bptt_extras", os.path.join(OURS, "common", "extras.py"))  # noqa: PTH118
assert _spec
assert _spec.loader
extras = module_from_spec(_spec)
_spec.loader.exec_module(extras)
early, begin = extras.early, extras.begin
