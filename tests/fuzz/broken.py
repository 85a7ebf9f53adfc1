"""The program with one protection taken out. The fuzzer must find each out within some trials, or it proves nothing."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import msgspec
from fuzz.judge import judge
from fuzz.trial import Theme, draw, play

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


async def _raise(_state: object, _session: object, error: Exception) -> None:
    raise error


#: By what is taken out.
BROKEN = {
    "one record that cannot be written": Broken(
        "the writer fails for all",
        "answers",
        ("request_id",),
        20,
        "does not end|ended with 70|not in the journal|was harmed",
        _as(
            cloud__answer__header_text=_same,
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
        _as(model__foreign___check_bounds=_same),
    ),
    "what the cloud quotes": Broken(
        "secrets are written",
        "answers",
        ("quotes_a_secret", "refused", "request_id"),
        10,
        "a secret is in",
        _as(cloud__registry__Secrets__mask=lambda _, value: value, cloud__registry__Secrets__searched=lambda _, a: a),
    ),
    "one target is throttled for ever": Broken(
        "it is asked for ever, and the others starve",
        "answers",
        ("throttled",),
        30,
        "upgrade calls|was harmed|does not end",
        _as(
            executor__scope__scope_calls__ScopeCalls___tries=lambda _scope, _reply: 10**9,
            model__run__Run__others_got_through=lambda _run, _state: False,
        ),
    ),
    "an exception in one story": Broken(
        "it ends the session for all",
        "exceptions",
        (),
        8,
        "more than one target was harmed",
        _as(executor__dispatch__break_off=_raise),
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
