"""What the preview reads of the cloud's own events: two calls of each scope, and who waits for what until when."""

from datetime import datetime, timedelta

import pytest
from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.stage import plan_of, targets_of

from orchestrator.app.preview.foresee_events import foresee_events
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import Doubtful, EventPage, Exchange, Failure, Refused, Reply
from orchestrator.planner.preview.events_text import event_lines
from orchestrator.planner.preview.preview_values import EventPreview

FIRST, SECOND, THIRD = targets_of(3)
ID = FIRST.instance_id


class Cloud(FakeCloud):
    def __init__(self, clock: VirtualClock, events: list[CloudEvent], failure: Failure | None) -> None:
        super().__init__(clock, targets_of(3), planned=events)
        self.failure = failure

    async def schedule_events(self, *, offset: int) -> Reply[EventPage]:
        return self.failure or await super().schedule_events(offset=offset)


def foreseen(
    *events: CloudEvent, failure: Failure | None = None, expected_s: float = 600.0
) -> tuple[tuple[EventPreview, ...], tuple[str, ...], int]:
    """What was found, the warnings, and how many calls that took."""

    async def look() -> tuple[tuple[EventPreview, ...], tuple[str, ...], int]:
        clock = VirtualClock()
        calls = ScopeCalls(
            name="default",
            api=Cloud(clock, list(events), failure),
            lanes=Lanes(WindowPacer(1e6), clock),
            retry=plan_of(targets_of(3)).retry,
            clock=clock,
            chance=lambda: 0.5,
            note=lambda _record: None,
        )
        calls.gate.open()
        return *await foresee_events(
            targets_of(3), {"default": calls}, clock, clock.now(), expected_s
        ), calls.usage.calls

    return run_virtual(look)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def event(
    starts_h: float | None, ends_h: float | None = None, instance: str = ID, *, running: bool = False
) -> CloudEvent:
    starts, ends = (None if hours is None else at(hours) for hours in (starts_h, ends_h))
    return CloudEvent(instance_id=instance, what="db_upgrade", starts=starts, ends=ends, running=running)


def test_who_waits_now_comes_first_and_until_when_is_told() -> None:
    found, warnings, calls = foreseen(
        event(5, 6), event(0.5, 1.5, SECOND.instance_id.upper()), event(0.1, 2, "1" * 32 + "in07")
    )

    assert (calls, warnings) == (2, ())
    assert [(each.proxies, each.waits, each.keeps_from, each.until) for each in found] == [
        ((SECOND.proxy_id,), True, at(-0.5), at(1.5)),
        ((FIRST.proxy_id,), False, at(4), at(6)),
    ]
    now, later = event_lines(found)
    assert now.endswith(f": 1 proxy WAITS until {at(1.5):%Y-%m-%d %H:%M} UTC")
    assert later.endswith(f": 1 proxy waits from {at(4):%Y-%m-%d %H:%M} until {at(6):%Y-%m-%d %H:%M} UTC")


def test_a_long_upgrade_has_to_begin_longer_before() -> None:
    ((each,), _, _) = foreseen(event(1.5, 2), expected_s=7200.0)
    assert (each.waits, each.keeps_from) == (True, at(-0.5))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (event(None), "without a time: 1 proxy waits once it is under way"),
        (event(None, running=True), "under way: 1 proxy WAITS until it is over"),
        (event(0.5), f"1 proxy WAITS until {at(1.5):%Y-%m-%d %H:%M} UTC"),
    ],
)
def test_what_the_list_does_not_say_is_not_made_up(kind: CloudEvent, words: str) -> None:
    found, _, _ = foreseen(kind)
    assert next(event_lines(found)).endswith(words)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Refused("no permission", Exchange(http_status=403)), "that needs the permission to list schedule-events"),
        (
            Refused("no such API", Exchange(http_status=404)),
            "schedule-events is not offered here (HTTP 404: no such API)",
        ),
        (Doubtful("HTTP 501", Exchange(http_status=501)), "schedule-events is not offered here (HTTP 501)"),
        (Doubtful("HTTP 503", Exchange(http_status=503)), "schedule-events cannot be read (HTTP 503)"),
    ],
)
def test_one_line_says_which_list_is_missing(failure: Failure, words: str) -> None:
    found, warnings, _ = foreseen(event(0.5), failure=failure)
    assert found == ()
    (line,) = warnings
    assert line.startswith(f"the cloud's own events of scope default are not all looked at: {words}")


def test_many_events_are_counted_and_not_listed() -> None:
    found, _, _ = foreseen(*(event(2 + hour, 3 + hour) for hour in range(13)))
    lines = list(event_lines(found))
    assert (len(lines), lines[-1]) == (11, "and 3 more events of the cloud's own, in --format json")
