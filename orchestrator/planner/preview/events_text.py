"""What the cloud is about to do to instances itself, as plain text in a preview."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from orchestrator.planner.preview.preview_values import EventPreview
from orchestrator.spoken import counted

#: Events that are shown, what keeps proxies back now first.
_MOST = 10


def event_lines(events: Sequence[EventPreview]) -> Iterator[str]:
    """A line for each of the first events, and one for how many more there are."""
    yield from map(_line, events[:_MOST])
    if len(events) > _MOST:
        yield f"and {counted(len(events) - _MOST, 'more event')} of the cloud's own, in --format json"


def _line(preview: EventPreview) -> str:
    event, count = preview.event, len(preview.proxies)
    of = f"event {event.what} of instance {event.instance_id} of scope {preview.scope}, {_when(preview)}"
    if preview.waits:
        return f"{of}: {counted(count, 'proxy WAITS', 'proxies WAIT')} {_until(preview.until)}"
    waits = counted(count, "proxy waits", "proxies wait")
    if preview.keeps_from is None:
        return f"{of}: {waits} once it is under way"
    return f"{of}: {waits} from {_shown(preview.keeps_from)} {_until(preview.until)}"


def _when(preview: EventPreview) -> str:
    if preview.event.running:
        return "under way"
    return "without a time" if preview.event.starts is None else f"from {_shown(preview.event.starts)} UTC"


def _until(until: datetime | None) -> str:
    return "until it is over" if until is None else f"until {_shown(until)} UTC"


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
