"""Cases of several hosts, one of which has a clock that is off."""

import signal

from fakes.documents import ROOT
from fakes.held_jobs import held
from fakes.postgres_server import Server
from fakes.stepping_clock import SteppingClock

from hosts.case import Case, new_case

#: The state cannot be used.
_UNFIT = 8


def a_little_off(server: Server, seed: int) -> dict[str, float]:
    """The host that works is killed, and the next one's clock is 3 s from its: nothing differs."""
    with new_case(server, seed, fates=held()) as case:
        first = case.desk.host("h0")
        case.desk.until_in_log("session_started")
        second = case.desk.host("h1", environ=clock_off(case, 3.0 if seed % 2 else -3.0))
        _replaced(case)
        case.end(first, second, codes=(0, -signal.SIGKILL))
        return case.figures


def far_off(server: Server, seed: int) -> dict[str, float]:
    """A host whose clock is a minute off takes part in nothing and says so; another one goes on."""
    with new_case(server, seed, fates=held()) as case:
        first = case.desk.host("h0")
        case.desk.until_in_log("session_started")
        refused = case.desk.host("h1", environ=clock_off(case, 60.0 if seed % 2 else -60.0)).end()
        assert refused.code == _UNFIT, refused
        assert "the clock of this host is 60 s" in refused.stderr, refused.stderr
        second = case.desk.host("h2")
        _replaced(case)
        case.end(first, second, codes=(0, -signal.SIGKILL))
        assert [record["host"] for record in case.of_kind("session_started")] == ["h0", "h2"]
        return case.figures


def _replaced(case: Case) -> None:
    """Kill the host that works once another one stands by; until that one works, no job comes to its end."""
    case.desk.until_one_stands_by()
    case.desk.until_in_log("answer_seen")
    case.taken_over(2, case.signal(signal.SIGKILL))
    case.desk.end_jobs()


def clock_off(case: Case, seconds: float) -> dict[str, str]:
    """The environment of a host whose clock is so many seconds ahead."""
    folder = case.desk.folder / "clock"
    folder.mkdir()
    clock = SteppingClock(folder, ROOT)
    clock.step(seconds)
    return {**clock.environ}
