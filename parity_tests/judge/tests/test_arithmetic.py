"""Elementary functions of another exactness reach the definition, and leave no trace."""

import numpy as np
import pytest

import reference
from reference.common import arrays

from ..arithmetic import definition, libm, replaced, unit
from ..cases import KINDS, Case, Spec
from ..oracle import by_libm, define, truth

lstm = reference.lstm


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ulp", [-4, 1, 4])
def test_each_value_is_moved_by_so_many_units_and_never_out_of_range(dtype, ulp):
    x = np.linspace(-30, 30, 1001, dtype=dtype)
    tanh, sigmoid = np.tanh(x), arrays.sigmoid(x)
    with libm(ulp):
        moved, of_sigmoid = lstm.np.tanh(x), lstm.sigmoid(x)
    assert moved.dtype == of_sigmoid.dtype == dtype
    assert np.abs(moved).max() <= 1 and of_sigmoid.max() <= 1 and of_sigmoid.min() >= 0
    inside = (np.abs(x) < 5) & (x != 0)
    np.testing.assert_array_equal((moved - tanh)[inside], (ulp * unit(tanh))[inside])
    np.testing.assert_array_equal((of_sigmoid - sigmoid)[inside], (ulp * unit(sigmoid))[inside])


def test_at_random_both_ways_and_always_the_same():
    x = np.linspace(-3, 3, 1000)
    moves = []
    for seed in (1, 1, 2):
        with libm(1, seed):
            moves.append(np.sign(np.abs(lstm.np.tanh(x)) - np.abs(np.tanh(x))))
    assert abs(moves[0].mean()) < 0.2 and set(moves[0]) == {-1, 1}
    assert (moves[0] == moves[1]).all() and (moves[0] != moves[2]).any()


def test_what_has_no_last_place_is_left_as_it_is():
    with libm(4):
        assert lstm.np.exp(np.array([-np.inf, np.inf])).tolist()[1] == np.inf
        assert np.isnan(lstm.np.tanh(np.array([np.nan]))).all()
        assert lstm.np.log(np.float64(2)) == np.log(2) + 4 * np.spacing(np.log(2))
        assert lstm.np.pi is np.pi


def test_nothing_remains_also_after_an_error():
    before = {(m, k): id(v) for m in definition() for k, v in vars(m).items()}
    with pytest.raises(ZeroDivisionError), replaced(lambda name, function: lambda x: 1 / 0):
        lstm.np.tanh(1.0)
    assert before == {(m, k): id(v) for m in definition() for k, v in vars(m).items()}
    assert lstm.np is np and lstm.sigmoid is arrays.sigmoid


@pytest.mark.parametrize("kind", KINDS)
def test_it_reaches_every_cell(kind):
    """Every output differs from the definition's, but where no elementary function is."""
    case = Case(Spec(input_size=3, hidden_size=6, num_layers=2, **KINDS[kind]))
    plain, moved = define(case, case.data()), by_libm(lambda data: define(case, data), case.data(), 4, None)
    assert all((plain[k] == moved[k]).all() == (kind == "rnn-relu") for k in plain)
    assert len(truth(case).moved()) == 16
