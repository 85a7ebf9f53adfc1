"""The cases of several hosts that no other test plays, once each. `make hosts-proof` plays all, and more often."""

from typing import TYPE_CHECKING

import pytest

from hosts.rows import ROWS, Row

if TYPE_CHECKING:
    from fakes.postgres_server import Server

PLAYED = ("5b", "10b", "11, 17", "13b", "14b", "16", "18")


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row.number in PLAYED], ids=lambda row: row.what)
def test_the_case_holds(postgres: "Server", row: Row) -> None:
    row.play(postgres, 1)


def test_every_case_has_a_number_of_its_own() -> None:
    numbers = [row.number for row in ROWS]
    assert len(set(numbers)) == len(numbers)
    assert set(PLAYED) <= set(numbers)
