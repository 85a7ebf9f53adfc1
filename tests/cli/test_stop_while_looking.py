"""A worker that is told to stop while it looks into a database that is away."""

from threading import Event

import pytest

from orchestrator.cli.verbs.verb_worker import found_before
from orchestrator.errors import StateError


def test_what_was_found_comes_back_and_so_does_every_error() -> None:
    assert found_before(Event(), lambda: ["prod"]) == ["prod"]
    for error in (StateError("away"), TimeoutError("a bug")):

        def fail(error: Exception = error) -> list[str]:
            raise error

        with pytest.raises(type(error), match=str(error)):
            found_before(Event(), fail)


def test_a_stop_waits_for_no_database() -> None:
    stopped, over = Event(), Event()

    def look() -> list[str]:
        stopped.set()
        over.wait()
        return ["prod"]

    try:
        assert found_before(stopped, look) is None
    finally:
        over.set()
