import pytest
from typer import BadParameter

from learnctl.cli.condition_flags import parse_size
from learnctl.cli.durations import duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("3m", 180),
        ("1h30m", 5400),
        ("2h", 7200),
        ("45", 45),
        ("1h 5m 2s", 3902),
        ("2M", 120),
    ],
)
def test_parse(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "-3m", "0s", "3d", "m", "30m1h", "inf", "1e3", "1h30", "5m30"]
)
def test_refuse(text: str) -> None:
    with pytest.raises(BadParameter):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.6, "1m00s"), (61, "1m01s"), (3720, "1h02m")]
)
def test_write(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GiB", 5 * 1024**3), ("8GB", 8 * 10**9), ("500m", 5 * 10**8), ("1.5 k", 1500), ("7", 7)],
)
def test_a_size(text: str, size: int) -> None:
    assert parse_size(text) == size
