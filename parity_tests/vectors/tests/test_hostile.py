"""Files that are damaged, that lie, or that somebody made by hand: a sentence and a status each, from both checkers alike."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from .. import folder
from .conftest import find, laid_out, safetensors
from .test_checkers import copied

CASE = "rnn-T4B1I1H1-size1"
NO = "the answer is no safetensors file: "
EIGHT, SHORT = NO + "it has no eight bytes", NO + "its header is longer than the file"
LONG, JSON = NO + "its header is longer than 1 MiB", NO + "its header is no JSON object"
FORM = NO + "its header does not give each tensor a dtype, a shape and data_offsets"
FILL = NO + "its tensors do not fill it without a gap or an overlap"
SIZE = NO + "a tensor has more or fewer bytes than its shape and dtype say"


def entry(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets} | more


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", EIGHT),
    "seven_bytes": (bytes(7), EIGHT),
    "no_header": (bytes(8), JSON),
    "longest_header": (b"\xff" * 8, LONG),
    "long_header": (safetensors(b"{" + b" " * 2**20 + b"}"), LONG),
    "lying_header": (safetensors("{}", length=3), SHORT),
    "not_json": (safetensors(b"{'y': 1}"), JSON),
    "half_json": (safetensors(b'{"y": {"dtype": "F32", "shape"'), JSON),
    "open_string": (safetensors(b'{"y'), JSON),
    "half_escape": (safetensors(b'{"y\\'), JSON),
    "half_unit": (safetensors(b'{"y\\u00'), JSON),
    "wrong_escape": (safetensors(b'{"\\x": 1}'), JSON),
    "two_values": (safetensors(b"{} {}"), JSON),
    "comma": (safetensors(b'{"y": [1,]}'), JSON),
    "zero_first": (safetensors(b'{"y": 01}'), JSON),
    "half_number": (safetensors(b'{"y": 1.}'), JSON),
    "no_exponent": (safetensors(b'{"y": 1e}'), JSON),
    "array": (safetensors(b"[]"), JSON),
    "null": (safetensors(b"null"), JSON),
    "byte_order_mark": (safetensors(b"\xef\xbb\xbf{}"), JSON),
    "control_character": (safetensors(b'{"\n": 1}'), JSON),
    "not_utf8": (safetensors(b'{"\xff": 1}'), JSON),
    "overlong": (safetensors(b'{"\xc0\xaf": 1}'), JSON),
    "surrogate": (safetensors(b'{"\xed\xa0\x80": 1}'), JSON),
    "half_character": (safetensors(b'{"\xe2\x82"'), JSON),
    "deep": (safetensors(b'{"y": ' + b"[" * 5000 + b"]" * 5000 + b"}"), JSON),
    "deeper": (safetensors(b'{"y": ' + b"[" * 500000), JSON),
    "deep_enough": (safetensors(b'{"y": ' + b"[" * 63 + b"]" * 63 + b"}"), FORM),
    "number": (safetensors(b'{"y": 1}'), FORM),
    "no_offsets": (safetensors({"y": {"dtype": "F32", "shape": [1]}}, bytes(4)), FORM),
    "three_offsets": (safetensors({"y": entry(offsets=(0, 4, 4))}, bytes(4)), FORM),
    "negative": (safetensors({"y": entry(offsets=(-4, 0))}, bytes(4)), FORM),
    "fraction": (safetensors({"y": entry(shape=(0.5,))}, bytes(4)), FORM),
    "huge": (safetensors({"y": entry(offsets=(0, 2**53 + 2))}, bytes(4)), FORM),
    "infinite": (safetensors(b'{"y": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 0]}}'), FORM),
    "shape_of_words": (safetensors({"y": entry(shape=("1",))}, bytes(4)), FORM),
    "dtype_of_number": (safetensors({"y": entry(dtype=32)}, bytes(4)), FORM),
    "past_the_file": (safetensors({"y": entry(shape=(2,), offsets=(0, 8))}, bytes(4)), FILL),
    "backwards": (safetensors({"y": entry(offsets=(4, 0))}, bytes(4)), FILL),
    "gap": (safetensors({"y": entry(offsets=(4, 8))}, bytes(8)), FILL),
    "left_over": (safetensors({"y": entry()}, bytes(8)), FILL),
    "overlap": (safetensors({"y": entry(), "h_n": entry()}, bytes(4)), FILL),
    "second_of_a_name": (safetensors('{"y": 1, "y": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}', bytes(8)), FILL),
    "too_few_bytes": (safetensors({"y": entry(shape=(2,))}, bytes(4)), SIZE),
    "product_of_shape": (safetensors({"y": entry(shape=(2**32, 2**32), offsets=(0, 0))}), SIZE),
    "product_past_numbers": (safetensors({"y": entry(shape=(2**53,) * 30 + (0,), offsets=(0, 0))}), SIZE),
    "product_of_nothing": (safetensors({"y": entry(shape=(0, 2**53), offsets=(0, 4))}, bytes(4)), SIZE),
    "wrong_shape": (safetensors({"y": entry(shape=(1, 1))}, bytes(4)), "y has the shape [1, 1], and must have [4, 1, 1]"),
    "no_shape": (safetensors({"y": entry(shape=())}, bytes(4)), "y has the shape [], and must have [4, 1, 1]"),
    "wide": (safetensors({"y": entry("F64", (4, 1, 1), (0, 32))}, bytes(32)), "y is F64, and must be F32"),
    "unknown_dtype": (safetensors({"y": entry("F8_E4M3")}, bytes(4)), "y is F8_E4M3, and must be F32"),
    "name_of_dtype": (safetensors({"y": entry("toString")}, bytes(4)), "y is toString, and must be F32"),
    "integers": (safetensors({"y": entry("I32", (4, 1, 1), (0, 16))}, bytes(16)), "y is I32, and must be F32"),
    "nothing": (safetensors("{}"), "y is missing"),
    "metadata": (safetensors({"__metadata__": {"by": 'a "hand"\n'}}), "y is missing"),
    "spaces": (safetensors(b" {} \n\t\r  "), "y is missing"),
    "unexpected": (safetensors({"z": entry()}, bytes(4)), "z is neither an output nor a gradient that this case has"),
    "of_javascript": (safetensors({"__proto__": entry()}, bytes(4)), "__proto__ is neither an output nor a gradient that"),
    "terminal": (safetensors({"\x1b[2J\x9b": entry()}, bytes(4)), "�[2J� is neither an output nor a gradient that this case has"),
    "escaped": (safetensors(r'{"\u00e9\ud83d\ude00\ud800\/": ' + json.dumps(entry()) + "}", bytes(4)), "é😀�/ is neither an"),
    "order": (safetensors({"2": entry(offsets=(4, 8)), "1": entry()}, bytes(8)), "1 is neither an output nor a gradient that"),
}  # fmt: skip


@pytest.fixture
def several(vectors, tmp_path):
    """A folder of vectors with so many copies of the smallest case, and one for answers."""

    def make(count):
        copied(vectors, tmp_path / "vectors", f"{CASE}.float32", count)
        (tmp_path / "answers").mkdir()
        return tmp_path / "vectors", tmp_path / "answers"

    return make


def test_each_hostile_answer_is_a_sentence(several, check):
    vectors, answers = several(len(FILES) + 2)
    for k, (content, _) in enumerate(FILES.values()):
        (answers / f"copy{k}.safetensors").write_bytes(content)
    (answers / f"copy{len(FILES)}.safetensors").mkdir()
    said = check(vectors, answers)
    for k, (name, (_, sentence)) in enumerate(FILES.items()):
        assert any(line.startswith(sentence) for line in said.of(f"copy{k}")), (name, said.of(f"copy{k}"))
    assert said.of(f"copy{len(FILES)}") == ["the answer cannot be read"]
    assert said.of(f"copy{len(FILES) + 1}") == ["has no answer, and is not declined"]
    assert said.status == 1
    assert f"{len(FILES) + 2} cases: 0 passed, 0 wrong, {len(FILES) + 2} errors, 0 declined" in said.lines


def test_damaged_answers_end_no_checker(several, vectors, check):
    """A right answer cut off anywhere, and with bytes changed anywhere; cut off it is never right."""
    right, rng = laid_out(right_answer(vectors)), np.random.default_rng(0)
    cuts = [right[:n] for n in range(0, len(right), 7)]
    changed = []
    for _ in range(600):
        damaged = bytearray(right)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(right))] = rng.integers(256)
        changed.append(bytes(damaged))
    copies, answers = several(1 + len(cuts) + len(changed))
    for k, content in enumerate([right, *cuts, *changed]):
        (answers / f"copy{k}.safetensors").write_bytes(content)
    said = check(copies, answers)
    assert said.of("copy0") == []
    assert all(said.of(f"copy{k}") for k in range(1, 1 + len(cuts)))
    assert sum(bool(said.of(f"copy{k + 1 + len(cuts)}")) for k in range(len(changed))) > len(changed) / 2


def right_answer(vectors):
    """The expected values, in the dtype of the case."""
    expected = load_file(vectors / f"{CASE}.float32.expected.safetensors")
    return {name: v.astype(np.float32) for name, v in expected.items()}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "declined.json holds no JSON object"),
        ('{"copy0": 1}', "declined.json has no reason, a string, for copy0"),
        ('{"copy7": "no"}', "declined.json: copy7 is no case of these vectors"),
        ('{"copy0": "no"', "declined.json holds no JSON object"),
    ],
)
def test_what_is_declined_must_be_said_in_order(content, sentence, several, check):
    vectors, answers = several(1)
    (answers / "declined.json").write_text(content)
    said = check(vectors, answers)
    assert (said.status, said.lines) == (2, ())
    assert said.error.endswith(f"{sentence}\n")


def test_what_is_declined_is_counted_by_reason(several, vectors, check):
    copies, answers = several(6)
    reasons = {"copy0": "no", "copy3": 'no "é"\nat all', "copy1": "no"}
    (answers / "declined.json").write_text(json.dumps(reasons))
    for k in (2, 4, 5):
        (answers / f"copy{k}.safetensors").write_bytes(laid_out(right_answer(vectors)))
    said = check(copies, answers)
    assert (said.status, said.lines[:3]) == (
        0,
        ("declined 2: no", 'declined 1: no "é"�at all', "6 cases: 3 passed, 0 wrong, 0 errors, 3 declined"),
    )
    (answers / "copy0.safetensors").write_bytes(b"")
    said = check(copies, answers)
    assert (said.status, said.of("copy0")) == (1, ["is declined, and answered"])


def test_where_all_is_declined_nothing_was_compared(several, check):
    vectors, answers = several(1)
    (answers / "declined.json").write_text('{"copy0": "no"}')
    assert check(vectors, answers).status == 1


def test_a_checker_wants_two_folders(vectors, tmp_path, check):
    for folders in ((), (vectors,), (vectors, tmp_path, tmp_path)):
        assert check(*folders).error == "error: two folders are wanted: check VECTORS ANSWERS\n"
    assert check(tmp_path, vectors).error == f"error: {tmp_path}/index.json cannot be opened\n"
    said = check(vectors, tmp_path / "nowhere")
    assert said.status == 1
    assert all(line.endswith("has no answer, and is not declined") for line in said.lines[:-1])


def spoiled(described: dict, **more):
    """The description with its first output changed."""
    return described | {"outputs": [described["outputs"][0] | more, *described["outputs"][1:]]}


DESCRIPTIONS = [
    (lambda d: [], "holds no JSON object"),
    (lambda d: d | {"format": 2}, "describes no case of format 1"),
    (lambda d: d | {"format": "1"}, "describes no case of format 1"),
    (lambda d: d | {"outputs": []}, "describes no case of format 1"),
    (lambda d: d | {"outputs": {}}, "describes no case of format 1"),
    (lambda d: d | {"outputs": [1]}, "does not describe its output 0"),
    (lambda d: spoiled(d, name="z"), "does not describe its output 0"),
    (lambda d: spoiled(d, name=None), "does not describe its output 0"),
    (lambda d: spoiled(d, role="weight"), "does not describe its output 0"),
    (lambda d: spoiled(d, shape=[4, 1]), "does not describe its output 0"),
    (lambda d: spoiled(d, shape=[2, 2, 1]), "does not describe its output 0"),
    (lambda d: spoiled(d, allowed=-1), "does not describe its output 0"),
    (lambda d: spoiled(d, allowed="1"), "does not describe its output 0"),
    (lambda d: spoiled(d, allowed_factor=-1), "does not describe its output 0"),
    (lambda d: spoiled(d, axes=["time"]), "does not describe its output 0"),
    (lambda d: spoiled(d, axes=["time", "feature", "feature"]), "does not describe its output 0"),
    (lambda d: spoiled(d, ends=[1, 2]), "does not describe its output 0"),
    (lambda d: spoiled(d, ends=[-1]), "does not describe its output 0"),
    (lambda d: spoiled(d, ends=[1], axes=None), "does not describe its output 0"),
    (lambda d: spoiled(d, non_finite="maybe"), "does not describe its output 0"),
    (lambda d: spoiled(d, optional=0), "does not describe its output 0"),
    (lambda d: spoiled(d, last_first=None), "does not describe its output 0"),
    (lambda d: spoiled(d, dtypes="F32"), "does not describe its output 0"),
]


@pytest.mark.parametrize(("change", "sentence"), DESCRIPTIONS)
def test_each_spoiled_description_is_a_sentence_and_status_2(change, sentence, several, vectors, check):
    copies, answers = several(1)
    (answers / "copy0.safetensors").write_bytes(laid_out(right_answer(vectors)))
    description = copies / "copy0.json"
    changed = change(json.loads(description.read_text()))
    description.unlink()
    description.write_text(json.dumps(changed))
    said = check(copies, answers)
    assert (said.status, said.lines) == (2, ())
    assert said.error == f"error: {description} {sentence}\n"


def test_expected_values_that_are_damaged_are_status_2(several, vectors, check):
    copies, answers = several(1)
    (answers / "copy0.safetensors").write_bytes(laid_out(right_answer(vectors)))
    expected = copies / "copy0.expected.safetensors"
    content = expected.read_bytes()
    expected.unlink()
    assert check(copies, answers).error == f"error: {expected} cannot be opened\n"
    expected.write_bytes(content[:-1])
    assert check(copies, answers).error == f"error: {expected} {FILL.removeprefix('the answer ')}\n"
    (copies / "copy0.json").unlink()
    assert check(copies, answers).error == f"error: {copies}/copy0.json cannot be opened\n"
    (copies / "index.json").write_text('{"format": 1, "cases": [1]}')
    assert check(copies, answers).error == f"error: {copies}/index.json is no index of format 1\n"


def test_many_names_take_no_time(several, check):
    """A header of one MiB, full of tensors, of different names and of one."""
    vectors, answers = several(2)
    for k, name in enumerate((str, lambda n: "a")):
        entries = ",".join(f'"{name(n)}":{{"dtype":"U8","shape":[],"data_offsets":[{n},{n + 1}]}}' for n in range(14000))
        (answers / f"copy{k}.safetensors").write_bytes(safetensors("{" + entries + "}", bytes(14000)))
    said = check(vectors, answers)
    assert len(said.of("copy0")) == 14002
    assert said.of("copy1") == [FILL]


def test_a_folder_that_was_copied_is_still_a_folder_of_vectors(vectors, tmp_path, check):
    """Nothing in it names a place."""
    shutil.copytree(vectors, tmp_path / "copy")
    assert folder.index_of(tmp_path / "copy") == folder.index_of(vectors)
    assert find(CASE, "float32").name == folder.read(tmp_path / "copy", f"{CASE}.float32")[0]["case"]
