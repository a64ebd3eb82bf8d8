"""What is said of the caches and of the code, on folders that are made for it."""

import pytest

from .. import machine
from .caches import caches
from .code import PACKAGES, bare, code


@pytest.fixture
def cpu(tmp_path):
    def index(number, **files):
        place = tmp_path / "cpu0" / "cache" / f"index{number}"
        place.mkdir(parents=True)
        for name, text in files.items():
            (place / name).write_text(f"{text}\n")

    index(0, type="Data", level=1, size="48K")
    index(1, type="Instruction", level=1, size="32K")
    index(2, type="Unified", level=2, size="2048K")
    index(3, type="Unified", level=3, size="307200K")
    return tmp_path


def test_caches_of_data_by_level(cpu):
    assert caches(cpu) == {"L1": 48 * 1024, "L2": 2 * 2**20, "L3": 300 * 2**20}


def test_a_level_that_says_nothing_is_left_out(cpu):
    (cpu / "cpu0" / "cache" / "index2" / "size").write_text("unknown")
    (cpu / "cpu0" / "cache" / "index3" / "size").unlink()
    assert caches(cpu) == {"L1": 48 * 1024}
    assert caches(cpu / "nowhere") == {}


def test_code_changes_with_what_is_computed_and_with_nothing_else(tmp_path):
    place = tmp_path / PACKAGES[0]
    place.mkdir(parents=True)

    def written(text, name="lstm.py"):
        (place / name).write_text(text)
        code.cache_clear()
        return code(tmp_path)

    first = written('"""A."""\ndef f(x):\n    """B."""\n    return x + 1\n')
    assert list(first) == [PACKAGES[0]]
    assert written("# why\ndef f( x ):\n\n    return (x + 1)  # what\n") == first
    assert written("def f(x):\n    return x + 2\n") != first
    assert written("def f(x):\n    return x + 1\n") == first
    assert written("y = 0\n", "gru.py") != first


def test_a_function_of_its_docstring_alone_remains_one():
    assert bare('def f():\n    """Nothing."""\n') == "def f():\n    pass"


def test_a_result_says_both():
    assert machine.machine()["caches"] == caches()
    assert machine.environment()["code"] == code()
    assert {"reference/cells", "reference/fast", "torch_impl/cells"} <= code().keys()
