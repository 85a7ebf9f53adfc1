"""The auditor measures doubts, follows and soaks by both clocks of the journal."""

from typing import Any

import pytest
from auditor.elapsed import elapsed_problems
from auditor.journal import Book

KEY = "0" * 31 + "1po01"


def line(record: str, monotonic_s: float | None, cloud: str | None, **more: Any) -> dict[str, Any]:
    clocks = None if monotonic_s is None else {"monotonic_s": monotonic_s, "cloud_at": cloud, "within_s": 1.0}
    target = None if record == "session_started" else KEY
    return {"record": record, "target": target, "clocks": clocks, **more}


FIRST = "2026-03-01T22:00:00Z"
_WAITS = [
    ("intent", "attempt_disproved", {"period_s": 900.0}),
    ("intent", "follow_timed_out", {"period_s": 900.0}),
    ("wave_soaking", "wave_done", {"wave": "w"}),
]
START = line("session_started", 100.0, None)


@pytest.mark.parametrize(
    ("later_session", "monotonic_s", "cloud", "problems"),
    [
        pytest.param(None, 1010.0, "2026-03-01T22:15:00Z", 0, id="both say so"),
        pytest.param(None, 111.0, "2026-03-01T22:15:00Z", 1, id="monotonic time says no"),
        pytest.param(None, 1010.0, "2026-03-01T22:14:00Z", 1, id="the cloud says no"),
        pytest.param(5.0, 6.0, "2026-03-01T22:15:00Z", 0, id="across sessions the cloud says so"),
        pytest.param(5.0, 906.0, "2026-03-01T22:14:00Z", 1, id="across sessions the cloud says no"),
        pytest.param(5.0, 906.0, None, 0, id="across sessions without a date: the whole period again"),
        pytest.param(5.0, 700.0, None, 1, id="across sessions without a date: not the whole period"),
    ],
)
@pytest.mark.parametrize(("begins", "ends", "more"), _WAITS)
def test_what_ends_before_its_time_has_passed_is_found(
    begins: str,
    ends: str,
    more: dict[str, Any],
    later_session: float | None,
    monotonic_s: float,
    cloud: str | None,
    problems: int,
) -> None:
    soaking = {"wave": "w", "at": FIRST, "until": "2026-03-01T22:15:00Z"} if begins == "wave_soaking" else {}
    lines = [START, line(begins, 110.0, FIRST, **soaking)]
    if later_session is not None:
        lines.append(line("session_started", later_session, None))
    lines.append(line(ends, monotonic_s, cloud, **more))
    assert len(list(elapsed_problems(Book(lines)))) == problems


def test_an_old_journal_that_tells_no_clocks_is_not_judged() -> None:
    assert not list(elapsed_problems(Book([START, line("intent", None, None), line("attempt_disproved", None, None)])))
