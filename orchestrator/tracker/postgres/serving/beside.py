"""What a process does beside its work while it has a place: it shows that it lives, and looks at the others."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread
from typing import Any

from orchestrator.errors import StateError
from orchestrator.tracker.postgres.database import Connection, Database
from orchestrator.tracker.postgres.serving.watched_silence import BEAT_S, LOOK_S


@contextmanager
def beating(database: Database, beat: str, values: dict[str, Any]) -> Iterator[None]:
    """For the length of the block, show every two seconds that this process lives, over a connection of its own."""
    over = Event()
    Thread(target=_beat, args=(database.apart(), beat, values, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _beat(database: Database, beat: str, values: dict[str, Any], over: Event) -> None:
    def show(connection: Connection) -> None:
        connection.execute(beat, values)

    with closing(database):
        while not over.wait(BEAT_S):
            with suppress(StateError):  # the next one may get through; silence has its meaning
                database.run(show, patience_s=0.0)


@contextmanager
def looking(look: Callable[[], object]) -> Iterator[None]:
    """For the length of the block, and only then, look again and again in a thread of its own."""
    over = Event()

    def again() -> None:
        while not over.wait(LOOK_S):
            with suppress(StateError):  # the next one may get through
                look()

    thread = Thread(target=again, name="looks at the others", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
