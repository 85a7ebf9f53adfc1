"""What was found of rates survives processes, and a damaged file costs nothing but the search."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import StateError
from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.tracker.folder.rates_file import RATES, add_rates, read_rates

NOW = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
ENDPOINT = "https://gaussdb.cn-north-4.myhuaweicloud.com"


def known(rate: float, at: datetime = NOW) -> KnownRate:
    return KnownRate(endpoint=ENDPOINT, rate=rate, at=at)


def test_before_the_first_run_nothing_is_known_and_nothing_amiss(tmp_path: Path) -> None:
    assert read_rates(tmp_path / "not there") == ({}, None)


def test_what_is_added_is_read_beside_what_was_there(tmp_path: Path) -> None:
    state = tmp_path / "state"
    add_rates(state, {"one": known(5.0), "other": known(7.5)})
    add_rates(state, {"one": known(9.0, NOW + timedelta(hours=1))})
    assert read_rates(state) == ({"one": known(9.0, NOW + timedelta(hours=1)), "other": known(7.5)}, None)
    assert (state / RATES).stat().st_mode & 0o777 == 0o600


def written(entry: str) -> bytes:
    return b'{"schema": "orchestrator.rates/1", "rates": {"one": {%b}}}' % entry.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"schema": "orchestrator.rates/2", "rates": {}}',
        written('"rate": 5'),
        written('"endpoint": "e", "rate": 0, "at": "2026-03-01T22:00:00Z"'),
        written('"endpoint": "e", "rate": 1e999, "at": "2026-03-01T22:00:00Z"'),
        written('"endpoint": "e", "rate": 5, "at": "2026-03-01T22:00:00"'),
    ],
)
def test_a_damaged_file_is_told_of_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RATES).write_bytes(content)
    rates, problem = read_rates(tmp_path)
    assert rates == {}
    assert problem is not None
    assert str(tmp_path / RATES) in problem
    add_rates(tmp_path, {"one": known(5.0)})
    assert read_rates(tmp_path) == ({"one": known(5.0)}, None)


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    add_rates(tmp_path, {f"{number}": known(1.0, NOW + timedelta(seconds=number)) for number in range(600)})
    rates, _ = read_rates(tmp_path)
    assert len(rates) == 500
    assert "0" not in rates
    assert "599" in rates


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(StateError):
        add_rates(tmp_path / "state", {"one": known(5.0)})
