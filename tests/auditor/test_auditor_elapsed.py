"""The auditor measures doubts, follows and soaks by both clocks of the journal."""

from datetime import datetime, timedelta
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


YEARS_S = 25 * 365 * 86_400.0


def learned(at: str, offset_s: float, unsure_s: float | None = None) -> dict[str, Any]:
    return {
        "record": "cloud_time_learned",
        "target": None,
        "scope": "default",
        "at": at,
        "offset_s": offset_s,
        "unsure_s": unsure_s,
    }


def _cloud(minutes: int, offset_s: float) -> str:
    shown = datetime.fromisoformat(FIRST) + timedelta(minutes=minutes, seconds=offset_s)
    return shown.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("by_s", [-YEARS_S, YEARS_S])
@pytest.mark.parametrize(("lasted", "problems"), [(910.0, 0), (899.0, 1), (840.0, 1)])
@pytest.mark.parametrize("wrong", ["first", "middle", "last"])
def test_a_cloud_whose_clock_is_set_neither_adds_time_nor_takes_it(
    by_s: float, lasted: float, problems: int, wrong: str
) -> None:
    changes = {
        "first": [learned("2026-03-01T21:59:00Z", by_s), learned("2026-03-01T22:01:00Z", 0.0, 9.0)],
        "middle": [
            learned("2026-03-01T21:59:00Z", 0.0),
            learned("2026-03-01T22:01:00Z", by_s, 9.0),
            learned("2026-03-01T22:01:05Z", 0.0, 9.0),
        ],
        "last": [learned("2026-03-01T21:59:00Z", 0.0), learned("2026-03-01T22:01:00Z", by_s, 9.0)],
    }[wrong]
    begins_s, ends_s = (by_s if wrong == "first" else 0.0), (by_s if wrong == "last" else 0.0)
    lines = [
        START,
        changes[0],
        line("intent", 110.0, _cloud(0, begins_s), at=FIRST),
        *changes[1:],
        line("attempt_disproved", 110.0 + lasted, _cloud(0, lasted + ends_s), period_s=900.0),
    ]
    found = list(elapsed_problems(Book(lines)))
    assert bool(found) == bool(problems)


@pytest.mark.parametrize(
    ("first_s", "lasted", "problems"),
    [
        pytest.param(-YEARS_S, 910.0, 0, id="back: the whole time again"),
        pytest.param(-YEARS_S, 890.0, 1, id="back: less than that"),
        pytest.param(0.0, 610.0, 0, id="right"),
        pytest.param(0.0, 590.0, 1, id="right, but too early"),
    ],
)
def test_across_sessions_a_clock_that_went_back_tells_nothing_of_the_time_between(
    first_s: float, lasted: float, problems: int
) -> None:
    began = "2026-03-01T22:05:00Z"
    lines = [
        START,
        line("intent", 110.0, FIRST, at=FIRST),
        line("session_started", 5.0, None, at=began),
        learned(began, first_s),
        line("attempt_disproved", 5.0 + lasted, _cloud(5, lasted + first_s), period_s=900.0),
    ]
    assert len(list(elapsed_problems(Book(lines)))) == problems


@pytest.mark.parametrize(
    ("went_s", "told_s", "lasted", "problems"),
    [
        pytest.param(300.0, 300.0, 601.0, 0, id="host and cloud agree"),
        pytest.param(3.0, 3603.0, 10.0, 1, id="the cloud was set ahead between the sessions"),
        pytest.param(3.0, 3603.0, 897.0, 0, id="ahead, and waited for by this host's clock"),
        pytest.param(-7200.0, 300.0, 900.0, 0, id="this host went back: all of it again"),
        pytest.param(-7200.0, 300.0, 610.0, 1, id="this host went back, and not all of it again"),
    ],
)
def test_across_sessions_the_hosts_clock_has_to_say_so_too(
    went_s: float, told_s: float, lasted: float, problems: int
) -> None:
    """From the intent to the next session `went_s` by this host, and `told_s` by the cloud."""
    began = datetime.fromisoformat(FIRST) + timedelta(seconds=went_s)
    ends = began + timedelta(seconds=lasted)
    lines = [
        START,
        line("intent", 110.0, FIRST, at=FIRST),
        line("session_started", 5.0, None, at=began.isoformat()),
        learned(began.isoformat(), told_s - went_s),
        line("attempt_disproved", 5.0 + lasted, _cloud(0, told_s + lasted), period_s=900.0, at=ends.isoformat()),
    ]
    assert len(list(elapsed_problems(Book(lines)))) == problems


def test_an_old_journal_that_tells_no_clocks_is_not_judged() -> None:
    assert not list(elapsed_problems(Book([START, line("intent", None, None), line("attempt_disproved", None, None)])))
