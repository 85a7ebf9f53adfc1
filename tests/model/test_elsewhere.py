"""How it is said what other fleets do with proxies of this one: what is open, what waits, and every fleet by name."""

import pytest

from orchestrator.model.learned.elsewhere import Elsewhere, elsewhere_words

OPEN, WAITS = Elsewhere("day", "R1", is_open=True), Elsewhere("day", "R1", is_open=False)
OTHER = Elsewhere("night", "R2", is_open=True)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"p1": OPEN}, "proxy p1 is open in run R1 of fleet day"),
        ({"p1": WAITS}, "proxy p1 is yet to be sent in run R1 of fleet day"),
        ({"p1": OPEN, "p2": OPEN}, "2 targets open in another fleet: 2 open in run R1 of fleet day, such as p1"),
        (
            {"p1": WAITS, "p2": WAITS},
            "2 targets yet to be sent by another fleet: 2 to send in run R1 of fleet day, such as p1",
        ),
        (
            {"p1": WAITS, "p2": OPEN, "p3": OTHER},
            (
                "3 targets open in another fleet, or yet to be sent there: "
                "1 open and 1 to send in run R1 of fleet day, such as p1; 1 open in run R2 of fleet night, such as p3"
            ),
        ),
    ],
)
def test_what_other_fleets_do_is_told_fleet_by_fleet(found: dict[str, Elsewhere], words: str) -> None:
    assert elsewhere_words(found) == words
