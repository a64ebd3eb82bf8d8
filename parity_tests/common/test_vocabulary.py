"""Vocabularies, splits and alignments: symbols there and back, parts that share nothing, sounds found where they are."""

import numpy as np
import pytest

from reference.common import datasets
from reference.common.vocabulary import BOS, EOS, PAD, Vocabulary, split
from reference.tasks import alignment


def test_symbols_go_to_integers_and_back():
    v = Vocabulary.of(["hello", "world"])
    assert v.symbols[:3] == [PAD, BOS, EOS]
    assert (v.pad, v.bos, v.eos) == (0, 1, 2)
    assert v.decode([v.bos, *v.encode("hold"), v.eos, *v.encode("w")]) == list("hold")
    assert v.encode("").shape == (0,)


def test_a_vocabulary_of_classes_has_no_special_symbols():
    v = Vocabulary(["male", "female"], special=False)
    assert v.encode(["female"]).tolist() == [1]
    assert v.decode([0, 1, 0]) == ["male", "female", "male"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda v: v.encode("hex"), KeyError, "symbol 'x' is not in the vocabulary of 7 symbols"),
        (lambda v: v.decode([7]), IndexError, "token must be from 0 to 6, got 7"),
        (lambda v: v.decode([-1]), IndexError, "token must be from 0 to 6, got -1"),
        (lambda v: Vocabulary("aba"), ValueError, "symbols must all be different, got 'a' more than once"),
        (lambda v: Vocabulary([PAD]), ValueError, "got '<pad>' more than once"),
        (lambda v: v.require(v.symbols[:-1]), ValueError, "must have the 7 symbols the model was made with, got 6"),
        (lambda v: v.require([*v.symbols[:-1], "z"]), ValueError, "must have 'o' as symbol 6, got 'z'"),
        (lambda v: split(["a", "b", "a"]), ValueError, "items must all be different, got 'a' more than once"),
        (lambda v: split("ab", validation=0.6, test=0.6), ValueError, "add up to at most 1, got 0.6 and 0.6"),
    ],
)
def test_bad_symbols_are_one_clear_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call(Vocabulary.of(["hello"]))


def test_parts_share_nothing_and_depend_on_the_seed_alone():
    items = [f"word{k}" for k in range(101)]
    parts = split(items, seed=3)
    assert list(map(len, parts)) == [81, 10, 10]
    assert sorted(k for part in parts for k in part) == sorted(items)
    assert split(items[::-1], seed=3) == parts
    assert split(items, seed=4) != parts


def test_first_names_have_the_sex_in_which_they_are_frequent():
    pytest.importorskip("names", reason="extra 'apps' is not installed")
    names = datasets.first_names()
    assert len(names) == 5163 and all(n.isascii() and n.isalpha() and n.islower() for n in names)
    assert (names["mary"], names["john"], names["leslie"], names["robert"]) == ("female", "male", "female", "male")
    assert sum(sex == "male" for sex in names.values()) == 1146


def test_pronunciations_with_and_without_stress():
    pytest.importorskip("eng_to_ipa", reason="extra 'apps' is not installed")
    words, stressed = datasets.pronunciations(), datasets.pronunciations(stress=True)
    assert len(words) == len(stressed) == 116_506
    assert words["tomato"] == [("t", "ah", "m", "ey", "t", "ow"), ("t", "ah", "m", "aa", "t", "ow")]
    assert stressed["tomato"][0] == ("t", "ah0", "m", "ey1", "t", "ow2")
    assert len({sound for ways in words.values() for sounds in ways for sound in sounds}) == 39
    assert len(stressed["permit"]) == 2 and words["permit"] == [("p", "er", "m", "ih", "t")]


def test_letters_find_their_sounds():
    pytest.importorskip("eng_to_ipa", reason="extra 'apps' is not installed")
    words = [(w, sounds[0]) for w, sounds in datasets.pronunciations().items()]
    some = [words[k] for k in np.random.default_rng(0).choice(len(words), 2000, replace=False)]
    costs = alignment.learn(some)
    expected = {"knight": "- n ay - - t", "mate": "m ey t -", "judge": "jh ah - jh -", "use": "y+uw s -"}
    for spelling, tags in expected.items():
        sounds = next(s for w, s in words if w == spelling)
        assert " ".join("+".join(p) or "-" for p in alignment.cut((spelling, sounds), costs)) == tags


def test_an_alignment_keeps_every_sound_in_order():
    words = [("abc", ("A", "B", "C")), ("ab", ("A", "B")), ("aabc", ("A", "B", "C")), ("x", ("K", "S"))]
    costs = alignment.learn(words)
    for letters, sounds in words:
        pieces = alignment.cut((letters, sounds), costs)
        assert len(pieces) == len(letters) and tuple(s for p in pieces for s in p) == sounds
    assert alignment.cut(("x", ("K", "S", "T")), costs) is None
