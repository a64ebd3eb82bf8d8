"""Series: files of one's own, with what is wrong in them, and those that ship in packages."""

import numpy as np
import pytest

from reference.forecast.series import Reading, SeriesError, load
from reference.forecast.series.frequency import frequency
from reference.forecast.series.series import from_csv, with_calendar
from reference.forecast.train import prepare

from .runs import noisy, options, wave, write


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


# Dates as people write them, and numbers in place of dates.


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        ("2024-01-15 23:00:00+01", "2024-01-16 00:00:00+01", "2024-01-16T01:00+01:00"),
        ("2024-01-15 23:00:00.5-0330", "2024-01-16 00:00:00.5-0330", "2024-01-16T01:00:00.500-03:30"),
        ("20240115T230000+0100", "20240116T000000+0100", "2024-01-16T01:00+01:00"),
        ("2024-01-15 23:00 UTC", "2024-01-16 00:00 UTC", "2024-01-16T01:00Z"),
        ("31/03/2024 01:00+0100", "31/03/2024 03:00+0200", "2024-03-31T02:00Z"),
        ("31/12/23", "01/01/24", "2024-01-02"),
        ("12/31/23", "01/01/24", "2024-01-02"),
        ("01.02.24", "02.02.24", "2024-02-03"),
        ("01.01.2024", "01.02.2024", "2024-03-01"),
        ("01.2024", "02.2024", "2024-03-01"),
        ("Dec-23", "Jan-24", "2024-02-01"),
        ("May 2024", "June 2024", "2024-07-01"),
        ("31-Dec-23", "01-Jan-24", "2024-01-02"),
        ("Dec 31, 2023", "Jan 1, 2024", "2024-01-02"),
        ("12/31/2023 11:00 PM", "1/1/2024 12:00 AM", "2024-01-01T01:00"),
        ("12/31/2023 11:30:00PM", "1/1/2024 12:00:00AM", "2024-01-01T00:30"),
        ("2024-01-01 00:00:00,250", "2024-01-01 00:00:00,500", "2024-01-01T00:00:00.750"),
        ("202312312300", "202401010000", "2024-01-01T01:00"),
        ("2023M12", "2024M01", "2024-02-01"),
        ("Q4 2023", "Q1 2024", "2024-04-01"),
        ("2023 q4", "2024 q1", "2024-04-01"),
        ("2023-W52", "2024-W01", "2024-01-08"),
        ("1704067200123", "1704067200124", "1704067200125"),
    ],
)
def test_dates_are_what_they_say(tmp_path, first, second, after):
    s = read(write(tmp_path / "own.csv", [(first, 1, 2), (second, 2, 1)]))
    assert s.shown(s.following(1)[0]) == after and len(s.values) == 2


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("01/02/20", "02/02/20", "in two ways.*: '%d/%m/%y' .day/month/year. or '%m/%d/%y' .month/day/year."),
        ("20-01-13", "20-01-14", "'%d-%m-%y' .day/month/year. or '%y-%m-%d' .year/month/day."),
        ("10:00", "10:15", "row 1: '10:00' is neither a number nor a date"),
        ("Jan", "Feb", "row 1: 'Jan' is neither a number nor a date"),
        ("01.02.2020", "Sum", "row 2: 'Sum' is neither a number nor a date"),
    ],
)
def test_dates_that_leave_something_open_are_not_guessed(tmp_path, first, second, said):
    with pytest.raises(SeriesError, match=said):
        read(write(tmp_path / "own.csv", [(first, 1, 2), (second, 2, 1)]))


def test_a_form_of_dates_may_have_an_offset(tmp_path):
    file = write(tmp_path / "own.csv", [(f"{d}|01|2024 00:00 +0100", d, 1) for d in (1, 2)])
    s = read(file, date_format="%d|%m|%Y %H:%M %z")
    assert s.shown(s.following(1)[0]) == "2024-01-03T00:00+01:00"


def test_a_gap_that_no_memory_could_hold_is_one_sentence(tmp_path):
    rows = [(f"2024-01-01T00:00:{k:02d}", k % 3, 1) for k in range(9)] + [("2034-01-01T00:00:00", 1, 1)]
    with pytest.raises(SeriesError, match="315619192 seconds after 2024-01-01T00:00:08, every second as a rule"):
        read(write(tmp_path / "own.csv", rows), fill="previous")


def test_every_other_week_repeats_after_a_year(tmp_path):
    assert read(write(tmp_path / "own.csv", [("2024-01-01", 1, 2), ("2024-01-15", 2, 1)])).season == 26


@pytest.mark.parametrize(
    ("times", "given", "season", "origin"),
    [
        (None, None, 1, "rows have no dates; --season says otherwise"),
        (["1", "2", "3"], None, 1, "rows have no dates; --season says otherwise"),
        (["2020-01", "2020-06", "2020-11"], None, 1, "none is usual for every 5 months, at day 1; --season says otherwise"),
        (["2020-01", "2020-07", "2021-01"], None, 2, "from the frequency, every half-year, at day 1"),
        (["2020-01", "2020-07", "2021-01"], 1, 1, "--season"),
        (["1", "2", "3"], 7, 7, "--season"),
    ],
)
def test_the_season_where_none_is_given_or_one_is(tmp_path, times, given, season, origin):
    file = write(tmp_path / "own.csv", [(t, k % 2, 1) for k, t in enumerate(times or "abc")])
    s = read(file, season=given, time="time" if times else None)
    assert (s.season, s.origin) == (season, origin)


# Columns and numbers as programs write them.


@pytest.mark.parametrize(
    ("content", "last"),
    [
        ('time,x\n2024-01-01,"1,234.50"\n2024-01-02,"12,001,000"\n', 12001000),
        ("time;x\n01.01.2024;1.234,50\n02.01.2024;2.001\n", 2001),
        ("time;x\n01.01.2024;1\u00a0234,50\n02.01.2024;999,5\n", 999.5),
        ("time;x\n2024-01-01;1'234.5\n2024-01-02;2'001\n", 2001),
        ("time;x\n2024-01-01;0.5\n2024-01-02;1.125\n", 1.125),
        ('time;"x, y, z";x\n2024-01-01;1;2\n2024-01-02;2;3\n', 3),
        ("sep=;\r\ntime;x\r\n2024-01-01;1,5\r\n2024-01-02;2,5\r\n", 2.5),
        (",time,x\n0,2024-01-01,1\n1,2024-01-02,2\n", 2),
        ("time,x\n2024-01-01,1\n\n2024-01-02,2\n,\n", 2),
    ],
)
def test_a_table_is_read_as_it_is_meant(tmp_path, content, last):
    file = tmp_path / "own.csv"
    file.write_text(content, encoding="utf-8", newline="")
    s = read(file)
    assert s.values[-1, 0] == last and s.shown(s.following(1)[0]) == "2024-01-03"
    assert ("thousands apart" in s.notes[0]) == any(v in content for v in ("1,234", "1.234", "1\u00a0234", "1'234"))


def test_row_names_are_a_column(tmp_path):
    (tmp_path / "own.csv").write_text(",x\n2024-01-01,1\n2024-01-02,2\n")
    assert read(tmp_path / "own.csv", time="index").frequency.name == "every day"


@pytest.mark.parametrize("content", ["x\n1\n\n3\n\n", "x,y\n1,2\n,\n3,4\n,\n"])
def test_an_empty_row_among_rows_without_dates_is_a_missing_value(tmp_path, content):
    (tmp_path / "own.csv").write_text(content)
    with pytest.raises(SeriesError, match="column 'x': 1 missing values, the first at 1; fill them"):
        read(tmp_path / "own.csv", time=None)
    np.testing.assert_array_equal(read(tmp_path / "own.csv", time=None, fill="previous").values[:, 0], [1, 1, 3])


def test_the_column_of_the_time_is_not_read_besides(tmp_path):
    with pytest.raises(SeriesError, match="'time' is the column of --time or --id"):
        mended(tmp_path, nothing, target="time")


def test_twice_a_day_has_a_calendar_and_once_a_year_has_none():
    def of(times):
        o = options("--window", 4, "--horizon", 2)
        s = noisy()._replace(times=times, frequency=frequency(times))
        return prepare(o, [with_calendar(s)])

    task = of(np.datetime64("2024-01-01", "us") + np.arange(160) * np.timedelta64(12, "h"))
    assert task.series[0].columns[-2:] == ("sin of day", "cos of day")  # of 0 and 12 o'clock the sines are 0
    assert np.isfinite(task.rows).all() and abs(task.rows[:, -2]).max() < 1e-9
    with pytest.raises(SeriesError, match="--calendar says nothing of the rows of noisy: they come every year"):
        of(np.arange("1800", "1960", dtype="datetime64[Y]").astype("datetime64[us]"))


def test_a_column_may_be_constant_in_one_of_several_series():
    one = noisy()
    other = one._replace(name="flat", values=one.values * [1, 0] + [0, 5])
    task = prepare(options("--window", 4, "--horizon", 2), [one, other])
    assert (task.rows[160:, 1] == 0).all()
    with pytest.raises(SeriesError, match=r"flat: column 'y' is constant in the training part.*leave it out"):
        prepare(options("--window", 4, "--horizon", 2), [other])


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
