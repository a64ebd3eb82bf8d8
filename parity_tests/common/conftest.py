"""Tests of packing run with both engines, too."""

from ..cells.conftest import engine as engine
