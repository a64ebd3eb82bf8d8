"""``python -m pytest benchmarks/bench_embedding.py``: ways to scatter the gradient of an embedding, checked, then timed."""

import numpy as np
import pytest
import torch

from reference.parts.embedding import scatter


def add_at(dy, ids, V):
    out = np.zeros((V, dy.shape[1]), dy.dtype)
    np.add.at(out, ids, dy)
    return out


def reduceat(dy, ids, V):
    out, order = np.zeros((V, dy.shape[1]), dy.dtype), np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    out[ordered[starts]] = np.add.reduceat(dy[order], starts)
    return out


def one_hot(dy, ids, V):
    X = np.zeros((len(ids), V), dy.dtype)
    X[np.arange(len(ids)), ids] = 1
    return X.T @ dy


def torch_own(dy, ids, V):
    return torch.ops.aten.embedding_dense_backward(torch.from_numpy(dy), torch.from_numpy(ids), V, -1, False).numpy()


@pytest.mark.parametrize(("N", "V", "E"), [(256, 28, 16), (2048, 74, 128), (2048, 10_000, 128)])
@pytest.mark.parametrize("way", [scatter, add_at, reduceat, one_hot, torch_own])
def test_scatter(benchmark, way, N, V, E):
    rng = np.random.default_rng(0)
    ids, dy = rng.integers(0, V, N), rng.standard_normal((N, E)).astype(np.float32)
    right = add_at(dy.astype(np.float64), ids, V)
    assert np.abs(way(dy, ids, V) - right).max() <= 64 * np.finfo(np.float32).eps * np.abs(right).max()
    benchmark.group = f"N{N} V{V} E{E}"
    benchmark.pedantic(way, (dy, ids, V), rounds=15, warmup_rounds=3)
