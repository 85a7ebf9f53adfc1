"""The records of one proxy as lines for people, made from what the journal has of each: texts, numbers, yes and no."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from orchestrator.model.record import Record

#: Beside what stands elsewhere in the line. The token of an intent is no secret, but is easily taken for one; clocks
#: are for the program; the kept entry is told by the run that it comes from.
_LEFT_OUT = frozenset({"at", "target", "step", "attempt", "record", "token", "clocks", "clouds", "entry", "position"})


def story_lines(records: Iterable[Record]) -> Iterator[str]:
    """A line for each record; those that repeat the one before, as a read does that finds nothing new, share one."""
    for words, repeated in groupby(records, key=_words):
        times = [record.at for record in repeated]
        again = f" ({len(times)} times, until {_shown(times[-1])})" if len(times) > 1 else ""
        yield f"  {_shown(times[0])} {words}{again}"


def _words(record: Record) -> str:
    facts = msgspec.json.decode(msgspec.json.encode(record))
    attempt = f"attempt {record.attempt} " if record.attempt else ""
    return f"{attempt}{facts['record']}: {_pairs({key: fact for key, fact in facts.items() if key not in _LEFT_OUT})}"


def _pairs(facts: dict[str, Any]) -> str:
    """What says something; nothing, no and 0 go without saying."""
    return ", ".join(f"{key}={_value(fact)}" for key, fact in facts.items() if fact)


def _value(fact: Any) -> str:
    match fact:
        case True:
            return "yes"
        case dict():
            return " ".join(map(_value, filter(None, fact.values())))
        case list():
            return f"[{'; '.join(map(_value, fact))}]"
        case _:
            return str(fact)


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}Z"
