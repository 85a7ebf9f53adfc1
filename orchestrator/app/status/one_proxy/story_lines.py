"""The records of one proxy as lines for people: a sentence each, with how long after the one before it came."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from orchestrator.app.telling.sentence import sentence
from orchestrator.model.record.record import Intent, JobSeen, Record
from orchestrator.spoken import spoken
from orchestrator.tracker.report.why import early_end_words

#: What came so soon after the line before came with it.
_SOON = timedelta(seconds=1)
#: Columns of the time between two lines.
_WIDTH = 11


def story_lines(records: Iterable[Record]) -> Iterator[str]:
    """A line for each record; those that repeat the one before, as a read does that finds nothing new, share one.

    What another kind of record says word for word as the one before, as the end of a doubt does, is not said again.
    """
    before: datetime | None = None
    told, story = "", list(records)
    sent_at = next((record.at for record in story if isinstance(record, Intent)), None)
    for said, repeated in groupby(story, key=partial(_said, sent_at=sent_at)):
        what, _, why = said.partition(": ")
        words, told = (f"{what}, as was found before" if why and why == told else said), why
        times = [record.at for record in repeated]
        again = f" ({len(times)} times, until {_shown(times[-1])})" if len(times) > 1 else ""
        yield f"  {_shown(times[0])} {_later(before, times[0]):>{_WIDTH}}  {words}{again}"
        before = times[-1]


def _said(record: Record, *, sent_at: datetime | None) -> str:
    """Its sentence, with a remark where it tells of an end before the first attempt."""
    early = early_end_words(record.ended_at, sent_at) if isinstance(record, JobSeen) else ""
    return f"{sentence(record)}{early}"


def _later(before: datetime | None, at: datetime) -> str:
    if before is None or abs(at - before) < _SOON:
        return ""
    apart = spoken(abs((at - before).total_seconds()))
    return f"+{apart}" if at > before else f"-{apart}"  # another host's clock, or one that was set


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
