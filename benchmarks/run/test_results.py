"""The result file: written whole or not at all; errors that say where."""

import gzip
import json
import os
from dataclasses import asdict

import pytest

from reference.common.command import is_out_of_memory

from ..what.config import Config
from ..what.model import ModelConfig
from . import results
from .results import failure, row

MACHINE = {"processor": "P", "cores": 2, "memory_gb": 8.0, "system": "Linux x86_64", "gpu": None}
ENVIRONMENT = {
    "python": "3.11",
    "numpy": "2",
    "torch": "2",
    "cuda": None,
    "cudnn": None,
    "tf32": "off",
    "torch_threads": 2,
    "blas": [{"api": "openblas", "version": "0.3", "threads": None}],
}
LIMITS = {"cpu": {"gemm_gflops": {"float32": 100.0, "float64": 50.0}, "copy_gbs": 10.0, "shape": "1024x1024x1024"}}
CONFIG = Config("lstm", 3, 4, 5, 6)


@pytest.fixture
def result():
    result = results.new("smoke", "python -m benchmarks run --preset smoke", MACHINE, ENVIRONMENT)
    result["limits"] = LIMITS
    result["rows"] = [
        row(CONFIG, "numpy", "train", [2e-3, 1e-3, 3e-3], LIMITS, parity=0.5, kernel="NumPy", peak_bytes=10),
        row(CONFIG, "torch.library", "train", [], LIMITS, status="wrong", reason="y", parity=float("inf")),
    ]
    return result


def test_what_is_written_is_read(tmp_path, result):
    path = tmp_path / "new" / "r.json"
    results.write(path, result)
    assert results.read(path) == result
    assert len(path.read_text().splitlines()) > 2 + len(result["rows"])


def test_a_packed_file_is_the_same_and_has_no_date(tmp_path, result):
    path = tmp_path / "r.json.gz"
    results.write(path, result)
    assert results.read(path) == result
    packed = path.read_bytes()
    assert gzip.decompress(packed).decode() == results.text(result)
    results.write(path, result)
    assert path.read_bytes() == packed
    for broken in (packed[:-9], b"no gzip", packed[:40] + b"x" * 40):
        path.write_bytes(broken)
        with pytest.raises(results.ResultError, match="cannot be read"):
            results.read(path)


def test_a_row_has_rates_and_the_nearer_limit(result):
    first = result["rows"][0]
    flops, seconds = CONFIG.flops("train"), 2e-3
    assert first["seconds"] | {"samples": []} == {"samples": [], "median": 2e-3, "q1": 1.5e-3, "q3": 2.5e-3, "outliers": 0}
    assert first["gflops"] == pytest.approx(flops / seconds / 1e9)
    assert first["limit"] == "memory"
    assert first["fraction_of_limit"] == pytest.approx(CONFIG.bytes("train") / 10e9 / seconds)
    assert result["rows"][1]["parity"] is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path, result, monkeypatch):
    path = tmp_path / "r.json"
    results.write(path, result)
    before = path.read_bytes()

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        results.write(path, result | {"rows": []})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def at(result, *keys):
    for key in keys[:-1]:
        result = result[key]
    return result, keys[-1]


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("format",), "else", "is not a result file"),
        (("version",), 2, "has version 2 of the format; this program reads 1"),
        (("preset",), 3, "preset must be string, is 3"),
        (("machine", "cores"), "two", "machine.cores must be integer, is 'two'"),
        (("machine", "cores"), True, "machine.cores must be integer"),
        (("environment", "blas", 0, "threads"), 1.5, "environment.blas[0].threads must be integer or null"),
        (("limits", "cpu", "copy_gbs"), None, "limits.cpu.copy_gbs must be number"),
        (("limits", "cpu", "gemm_gflops", "float32"), "fast", "limits.cpu.gemm_gflops.float32 must be number"),
        (("rows", 0, "status"), "fine", "rows[0].status must be one of ok, wrong"),
        (("rows", 0, "case", "T"), 0, "rows[0].case.T must be at least 1"),
        (("rows", 0, "seconds", "samples", 1), "x", "rows[0].seconds.samples[1] must be number"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path, result, keys, value, message):
    path = tmp_path / "r.json"
    result = json.loads(json.dumps(result))
    place, key = at(result, *keys)
    place[key] = value
    path.write_text(json.dumps(result))
    with pytest.raises(results.ResultError) as e:
        results.read(path)
    assert message in str(e.value)
    assert "\n" not in str(e.value)
    assert str(e.value).startswith(str(path))


@pytest.mark.parametrize("key", ["rows", "limits", "machine"])
def test_what_is_missing_is_named(tmp_path, result, key):
    path = tmp_path / "r.json"
    path.write_text(json.dumps({k: v for k, v in result.items() if k != key}))
    with pytest.raises(results.ResultError, match=f"the file has no '{key}'"):
        results.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"format": "bptt-benchmark", "rows": [', "no JSON from line 1"),
        (b"", "no JSON"),
        (b"[]", "is not a result file"),
        (b"\xff\xfe", "cannot be read"),
        (b'{"answers": 42}', "is not a result file"),
    ],
)
def test_foreign_and_broken_files(tmp_path, content, message):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(results.ResultError, match=message):
        results.read(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(results.ResultError, match="cannot be read"):
        results.read(tmp_path / "no.json")


def test_a_row_twice_is_broken(tmp_path, result):
    path = tmp_path / "r.json"
    result["rows"].append(result["rows"][0])
    results.write(path, result)
    with pytest.raises(results.ResultError, match=r"rows\[2\] was there before: numpy, train"):
        results.read(path)


def test_the_checker_knows_all_that_the_schema_says():
    """Whoever extends schema.json must see to it that it is enforced."""

    def walk(rule):
        assert set(rule) <= results.KEYWORDS, set(rule) - results.KEYWORDS
        kinds = rule.get("type", [])
        assert {kinds} <= set(results.KINDS) if isinstance(kinds, str) else set(kinds) <= set(results.KINDS)
        below = [rule[k] for k in ("items", "additionalProperties") if k in rule]
        for inner in [*rule.get("properties", {}).values(), *below]:
            walk(inner)

    walk(results.schema())


def test_the_schema_asks_for_all_that_a_row_has(result):
    rules = results.schema()["properties"]
    assert set(rules) == set(result)
    later = {"rounds", "joules"}  # which older files do not have
    assert set(rules["rows"]["items"]["required"]) | later == set(result["rows"][0]) == set(rules["rows"]["items"]["properties"])
    case = rules["rows"]["items"]["properties"]["case"]
    assert set(case["required"]) == set(asdict(CONFIG))
    assert set(case["properties"]) == set(asdict(ModelConfig("lstm", 3, 4, 5, 6)))


def test_identity_is_implementation_phase_and_case(result):
    one, other = result["rows"]
    assert results.identity(one) != results.identity(other)
    assert results.identity(one) == results.identity(one | {"status": "error", "kernel": None})
    assert results.identity(one) == results.identity(one | {"case": dict(reversed(one["case"].items()))})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "out of memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("x"), "out of memory"),
        (ValueError("two\nlines"), "error"),
    ],
)
def test_failures(error, status):
    assert is_out_of_memory(error) == (status == "out of memory")
    known = failure(error)
    assert known["status"] == status
    assert "\n" not in known["reason"]
