"""Hosts that wait for a fleet's lock with clocks of the tests' own, and one that serves meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.lease import Candidate
from orchestrator.tracker.postgres.serving.watched_silence import LOOK_S
from orchestrator.tracker.served_groups import Post

STEPS = 120


class Waits:
    """A clock that only pauses move. Before each step `happens` may do something."""

    look: Callable[[], object]

    def __init__(self, happens: Callable[[int], None] = lambda _step: None) -> None:
        self.now_s = 0.0
        self.step = 0
        self._happens = happens

    def monotonic(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds
        self.step += 1
        if self.step > STEPS:
            raise TimeoutError("it waits for ever")
        self._happens(self.step)

    def candidate(self, token: str) -> Candidate:
        return Candidate(
            "prod",
            lambda: f"process of {token}, since {self.now_s:g} s",
            f"host-{token}",
            token,
            self.monotonic,
            self.pause,
            beside=self.beside,
        )

    @contextmanager
    def beside(self, look: Callable[[], object]) -> Iterator[None]:
        """Nothing looks by itself: who serves has it done, see `Serves`."""
        self.look = look
        yield


class Serves:
    """Serves what it is given until that is over, and keeps why.

    Args:
        waits: its clock; each step looks at the others.
        ends_after: steps after which its session ends by itself.
        but: a group that it would not serve.
        looks: whether the others are looked at in a step; else its session ends before.
    """

    def __init__(self, waits: Waits, *, ends_after: int = STEPS, but: str = "", looks: bool = True) -> None:
        self._waits = waits
        self._ends_after = ends_after
        self._but = but
        self._looks = looks
        self.served: list[tuple[str, ...]] = []
        self.posts: list[Post] = []
        self.why: list[str | None] = []

    def serves(self, group: str) -> bool:
        return group != self._but

    def serve(self, post: Post) -> None:
        self.posts.append(post)
        self.served.append(post.groups)
        for _ in range(self._ends_after):
            if post.over() is not None:
                break
            self._waits.pause(LOOK_S)
            if self._looks:
                self._waits.look()
        self.why.append(post.over())


def dead(database: Database) -> int:
    """A holder that was killed."""
    database.rows("insert into orchestrator.fleet (fleet, epoch, holder, token) values ('prod', 7, 'the dead', 'x')")
    beat(database)
    return 7


def beat(database: Database) -> None:
    database.rows(
        "insert into orchestrator.beat values ('prod', clock_timestamp() - interval '5 s') "
        "on conflict (fleet) do update set at = excluded.at"
    )
