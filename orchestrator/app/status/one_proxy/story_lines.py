"""The records of one proxy as lines for people: a sentence each, with how long after the one before it came."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from orchestrator.app.telling.sentence import sentence
from orchestrator.model.record.record import Record
from orchestrator.spoken import spoken

#: What came so soon after the line before came with it.
_SOON = timedelta(seconds=1)
#: Columns of the time between two lines.
_WIDTH = 11


def story_lines(records: Iterable[Record]) -> Iterator[str]:
    """A line for each record; those that repeat the one before, as a read does that finds nothing new, share one.

    What another kind of record says word for word as the one before, as the end of a doubt does, is not said again.
    """
    before: datetime | None = None
    told = ""
    for said, repeated in groupby(records, key=sentence):
        what, _, why = said.partition(": ")
        words, told = (f"{what}, as was found before" if why and why == told else said), why
        times = [record.at for record in repeated]
        again = f" ({len(times)} times, until {_shown(times[-1])})" if len(times) > 1 else ""
        yield f"  {_shown(times[0])} {_later(before, times[0]):>{_WIDTH}}  {words}{again}"
        before = times[-1]


def _later(before: datetime | None, at: datetime) -> str:
    if before is None or abs(at - before) < _SOON:
        return ""
    apart = spoken(abs((at - before).total_seconds()))
    return f"+{apart}" if at > before else f"-{apart}"  # another host's clock, or one that was set


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
