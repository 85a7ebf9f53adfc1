"""The records of one proxy as the journal has them, for those who know its records."""

from collections.abc import Iterable, Iterator

import msgspec

from orchestrator.model.record.record import Record

#: Told by no one: the token of an intent is no secret, but is easily taken for one.
_LEFT_OUT = frozenset({"token"})


def raw_lines(records: Iterable[Record]) -> Iterator[str]:
    """A line of JSON for each record, without the fields that say nothing."""
    for record in records:
        facts = msgspec.json.decode(msgspec.json.encode(record))
        yield "  " + msgspec.json.encode({key: fact for key, fact in facts.items() if _says(key, fact)}).decode()


def _says(key: str, fact: object) -> bool:
    return key not in _LEFT_OUT and fact not in (None, "", [], {})
