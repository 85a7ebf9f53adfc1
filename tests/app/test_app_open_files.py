"""The limit of open files is raised as far as a plan needs, and what does not fit into it is not begun."""

import errno
import resource
from pathlib import Path

import pytest
from fakes.stage import plan_of
from msgspec import structs

from orchestrator.app.process.open_files import make_room
from orchestrator.cloud.wire.faults import Place, words_for
from orchestrator.errors import UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.disk import state_error


class Limit:
    """The limit of open files of a process, soft and hard."""

    def __init__(self, soft: int, hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.soft, self.hard = soft, hard
        monkeypatch.setattr(resource, "getrlimit", lambda _which: (self.soft, self.hard))
        monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: self._set(*limits))

    def _set(self, soft: int, hard: int) -> None:
        assert soft <= hard == self.hard
        self.soft = soft


def plan(concurrency: int) -> Plan:
    made = plan_of([])
    return structs.replace(made, limits=structs.replace(made.limits, concurrency=concurrency))


def test_the_soft_limit_is_raised_as_far_as_the_plan_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limit(48, 100_000, monkeypatch)
    room = make_room(plan(200))
    assert (room.concurrency, room.warning) == (200, None)
    assert room.connections >= 2 * 200
    assert 2 * room.connections < limit.soft < limit.hard


def test_a_limit_that_is_high_enough_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limit(50_000, 100_000, monkeypatch)
    make_room(plan(10))
    assert limit.soft == 50_000


def test_with_a_low_hard_limit_fewer_calls_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limit(48, 128, monkeypatch)
    room = make_room(plan(200))
    assert limit.soft == 128
    assert 2 <= room.concurrency <= room.connections < 128 / 2
    assert room.warning is not None
    assert "open files" in room.warning
    assert "in place of 200" in room.warning


def test_a_limit_with_which_nothing_works_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Limit(20, 20, monkeypatch)
    with pytest.raises(UsageError, match="open files: this process may have 20 open") as raised:
        make_room(plan(10))
    assert "ulimit" in str(raised.value.hint)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_who_meets_the_limit_speaks_of_open_files(number: int) -> None:
    place = Place(address="a:443", host="a", via=None, connect_timeout_s=1, timeout_s=1)
    assert "open files" in words_for(OSError(number, "Too many"), place, left=False)
    assert "open files" in str(state_error(OSError(number, "Too many"), Path("journal"), "write").hint)
