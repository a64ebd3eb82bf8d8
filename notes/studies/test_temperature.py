"""The figures of notes/char_lm.md on temperature: those of the kept logits, and what theory says of them."""

import json

import numpy as np
import pytest

from ..labels import NOTES
from . import temperature
from .pages import END, begin

KEPT = json.loads(temperature.KEPT.read_text(encoding="utf-8"))


def test_the_note_has_the_table_of_the_kept_logits():
    note = (NOTES / "char_lm.md").read_text(encoding="utf-8")
    assert f"{begin(temperature.COMMAND)}\n{temperature.table(KEPT)}\n{END}" in note


@pytest.mark.parametrize("place", KEPT["places"])
def test_probabilities_are_powers_and_entropy_only_rises(place):
    z = np.array(KEPT["places"][place]["logits"])
    assert len(z) == len(KEPT["symbols"])
    _, p = temperature.likely(KEPT, place, 0.5)
    _, q = temperature.likely(KEPT, place, 1.0)
    np.testing.assert_allclose(p, q**2 / (q**2).sum(), atol=1e-12)
    curve = [float(temperature.entropy(z, tau)) for tau in temperature.AXIS]
    assert (np.diff(curve) > 0).all()
    assert 0 < curve[0] < curve[-1] < np.log2(len(z))


def test_the_mean_of_all_places_lies_between_the_two_and_only_rises():
    assert (np.diff(KEPT["mean"]) > 0).all()
    one = int(np.flatnonzero(temperature.AXIS == 1.0)[0])
    unsure, sure = (float(temperature.entropy(np.array(v["logits"]), 1.0)) for v in KEPT["places"].values())
    assert sure < KEPT["mean"][one] < unsure
