"""The program with one protection taken out. The fuzzer must find each out within some trials, or it proves nothing."""

import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import msgspec
from fuzz.trial import Theme, draw, play
from fuzz.verdict import judge
from fuzz.virtual import LISTS

from orchestrator.cloud.wire.connector import OneWayConnector
from orchestrator.model.reply.foreign import read_json

Patches = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Broken:
    """A protection that is taken out.

    Attributes:
        what: what the program does without it.
        theme: of the trials that are to find it.
        twists: faults that are drawn.
        trials: so many find it at the latest.
        shows: what the judge says then, as a pattern.
        without: takes the protection out.
    """

    what: str
    theme: Theme
    twists: tuple[str, ...]
    trials: int
    shows: str
    without: Patches


def found_at(broken: Broken, seed: int = 1) -> int | None:
    """Index of the first trial that finds it, and finds nothing of the kind in the program as it is."""
    for index in range(broken.trials):
        with broken.without():
            found = _shown(broken, seed, index)
        if found and not _shown(broken, seed, index):
            return index
    return None


def _shown(broken: Broken, seed: int, index: int) -> bool:
    trial = draw(seed, index, broken.theme, broken.twists)
    return any(re.search(broken.shows, violation) for violation in judge(play(trial)))


def _as(**places: Any) -> Patches:
    """Put something else in some places, named with `__` for each dot."""

    @contextmanager
    def without() -> Iterator[None]:
        with ExitStack() as stack:
            for place, value in places.items():
                stack.enter_context(patch("orchestrator." + place.replace("__", "."), value))
            yield

    return without


def _same(value: Any, *_: object) -> Any:
    return value


async def _nothing(*_: object) -> None:
    pass


def _shared_connections(**options: Any) -> OneWayConnector:
    return OneWayConnector(**{**options, "force_close": False})


async def _raise(_state: object, _session: object, error: Exception) -> None:
    raise error


#: By what is taken out.
BROKEN = {
    "time that is steady while a session lasts": Broken(
        "a step of the wall clock is taken for time that has passed",
        "clocks",
        (),
        30,
        "was harmed|does not end|was started",
        _as(clock__SystemClock__now=lambda clock: clock.wall()),
    ),
    "one record that cannot be written": Broken(
        "the writer fails for all",
        "answers",
        ("request_id",),
        20,
        "does not end|ended with 70|not in the journal|was harmed",
        _as(
            cloud__reading__answer__header_text=_same,
            executor__ledger__writable=_same,
            tracker__journal__line__encoded=msgspec.json.encode,
        ),
    ),
    "JSON of any depth": Broken(
        "a decoder ends the session",
        "answers",
        ("odd_value", "odd_beside"),
        40,
        "ended with 70",
        _as(model__reply__foreign___check_bounds=_same),
    ),
    "an answer with a bad character is read": Broken(
        "an id that came is lost",
        "answers",
        ("bad_character",),
        20,
        "of a whole answer is lost",
        _as(cloud__reading__decode__read_body=partial(read_json, decode=msgspec.json.Decoder().decode)),
    ),
    "a pause has an end of ours": Broken(
        "a year is waited for, as the cloud says",
        "answers",
        ("paused",),
        20,
        "does not end",
        _as(
            executor__scope__scope_calls__LONGEST_PAUSE_S=math.inf,
            executor__scope__probe__LONGEST_PAUSE_S=math.inf,
            executor__decide__next_action__long_pause=lambda _rollout, _now: None,
        ),
    ),
    "a list has an end of ours": Broken(
        "it is read for ever",
        "answers",
        ("endless",),
        20,
        "does not end",
        lambda: patch.dict(LISTS, dict.fromkeys(LISTS, 10**9)),
    ),
    "what the cloud quotes": Broken(
        "secrets are written",
        "answers",
        ("quotes_a_secret", "refused", "request_id"),
        10,
        "a secret is in",
        _as(
            cloud__secrets__registry__Secrets__mask=lambda _, value: value,
            cloud__secrets__registry__Secrets__searched=lambda _, a: a,
        ),
    ),
    "one target is throttled for ever": Broken(
        "it is asked for ever, and the others starve",
        "answers",
        ("throttled",),
        30,
        "upgrade calls|was harmed|does not end",
        _as(
            executor__scope__scope_calls__ScopeCalls___tries=lambda _scope, _reply: 10**9,
            model__run__run__Run__others_got_through=lambda _run, _state: False,
        ),
    ),
    "an answer is held against its question": Broken(
        "the answer to another call is believed",
        "answers",
        ("of_another",),
        10,
        "TRUE: \\S+ is \\w+ and claims",
        _as(
            model__run__fold_answer___given_twice=lambda _known, _state, _record: False,
            model__run__state__TargetState___is_ours=lambda _state, _entry: True,
            executor__target__answer_verdict__strays=lambda _entry, _instance_id, _known: False,
            executor__target__follow___disown=_nothing,
            executor__target__reconcile___open=lambda _state, _run, _listing: set(),
        ),
    ),
    "a connection for each upgrade": Broken(
        "an answer that comes twice is taken for that of the next upgrade",
        "answers",
        ("twice",),
        20,
        "the right answer to its upgrade call is in doubt",
        _as(cloud__wire__transport__OneWayConnector=_shared_connections),
    ),
    "an exception in one story": Broken(
        "it ends the session for all",
        "exceptions",
        (),
        8,
        "more than one target was harmed",
        _as(executor__serving__break_off=_raise),
    ),
}


def main() -> int:
    """Exit code 1 when the fuzzer misses one; a line for each says at which trial it was found."""
    missed = 0
    for name, broken in BROKEN.items():
        found = found_at(broken)
        missed += found is None
        told = "MISSED" if found is None else f"trial {found}"
        sys.stdout.write(f"{told:10} {name}: {broken.what}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
