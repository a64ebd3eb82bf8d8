"""The named cases: case.py says what one is, table.py lists them."""

from .case import GATES as GATES
from .case import TIERS as TIERS
from .case import Case as Case
from .case import Data as Data
from .case import Spec as Spec
from .table import KINDS as KINDS
from .table import LENGTHS as LENGTHS
from .table import OPTIONS as OPTIONS
from .table import build as build
from .table import pairwise as pairwise
from .table import table as table
from .table import usual as usual
