"""Series: files of one's own, with what is wrong in them, and those that ship in packages."""

import numpy as np
import pytest

from reference.forecast.series import Reading, SeriesError, load
from reference.forecast.series.series import from_csv

from .runs import wave, write


def mended(tmp_path, change, **more):
    rows = wave(40)
    change(rows)
    return read(write(tmp_path / "own.csv", rows), features=("y",), **more)


def read(file, **more):
    [series] = from_csv(Reading(**{"csv": file, "target": "x", "time": "time"} | more))
    return series


def nothing(rows):
    pass


def test_a_file_is_read(tmp_path):
    s = mended(tmp_path, nothing, season=12)
    assert (s.name, s.columns, s.season) == ("own", ("x", "y"), 12)
    assert s.notes == ("comma between columns, decimal point, utf-8",)
    np.testing.assert_array_equal(s.values[3], [float(v) for v in wave(40)[3][1:]])
    assert s.shown(s.following(3)[2]) == "2003-07-01"


def test_rows_out_of_order_are_sorted_and_said_to_be(tmp_path):
    s = mended(tmp_path, lambda rows: rows.reverse())
    np.testing.assert_array_equal(s.values, mended(tmp_path, nothing).values)
    assert s.notes[1:] == ("the rows were not in the order of 'time': they were sorted",)


def test_missing_values_take_the_value_before_them_where_asked(tmp_path):
    def holes(rows):
        for k in (5, 6, 20):
            rows[k] = (rows[k][0], ("", "NA", "nan")[k % 3], rows[k][2])

    s, whole = mended(tmp_path, holes, fill="previous"), mended(tmp_path, nothing)
    np.testing.assert_array_equal(s.values[[5, 6, 20], 0], whole.values[[4, 4, 19], 0])
    assert s.notes[1:] == ("column 'x': 3 missing values took the value before them",)
    with pytest.raises(SeriesError, match=r"3 missing values, the first at 2000-06-01; fill them: --fill previous"):
        mended(tmp_path, holes)


def put(k, *row):
    return lambda rows: rows.__setitem__(k, row)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(7, "2000-07", "1", "2"), "2000-07-01 comes twice in 'time'"),
        (lambda rows: rows.pop(7), "1 of 40 rows are missing, the first at 2000-08-01.*--fill previous"),
        (put(7, "2000-08-09", "1", "2"), "steps of 'time' are not even"),
        (put(7, "2000-08", "five", "2"), "column 'x', row 8: 'five' is no number"),
        (put(7, "2000-08", "inf", "2"), "row 8: 'inf' is not finite"),
        (put(7, "August", "1", "2"), "row 8: 'August' is neither a number nor a date"),
        (put(7, "", "1", "2"), "row 8: the time is missing"),
        (put(7, "2000-08", "1"), "column 'y': 1 missing values, the first at 2000-08-01"),
        (lambda rows: rows.clear(), "needs a header line and rows of data"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, change, said):
    with pytest.raises(SeriesError, match=said):
        mended(tmp_path, change)


def test_two_columns_of_one_name_are_refused_however_they_are_spaced(tmp_path):
    file = write(tmp_path / "twice.csv", [("2000", "1", "2"), ("2001", "3", "4")], ("time", "x", " x"))
    with pytest.raises(SeriesError, match="two columns of one name: 'x'"):
        read(file)


def test_a_gap_at_the_start_has_nothing_before_it(tmp_path):
    with pytest.raises(SeriesError, match="column 'y': the value at 2000-01-01 is missing, and there is none"):
        mended(tmp_path, put(0, "2000-01", "1", ""), fill="previous")


# The series that ship in packages.


def test_sunspots_and_weather_are_whole():
    pytest.importorskip("statsmodels", reason="extra 'apps' is not installed")
    pytest.importorskip("vega_datasets", reason="extra 'apps' is not installed")
    [sun], [weather] = (load({"csv": None, "data": name}) for name in ("sunspots", "weather"))
    assert sun.values.shape == (3126, 1) and sun.shown(sun.times[-1]) == "2009-06-01" and sun.season == 132
    assert weather.values.shape == (1461, 6) and weather.columns[0] == "temp_max"
    assert np.isfinite(weather.values).all() and (np.diff(weather.times) == np.timedelta64(1, "D")).all()
    np.testing.assert_array_equal(weather.values[0, :4], [12.8, 5.0, 0.0, 4.7])
    np.testing.assert_allclose((weather.values[:, 4:] ** 2).sum(1), 1)
    assert sun.shown(sun.following(1)[0]) == "2009-07-01"
    assert weather.shown(weather.following(1)[0]) == "2016-01-01"
