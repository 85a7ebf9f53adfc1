"""Says from a journal whether every upgrade started when it might. Reads local clocks minute by minute; knows no code.

A window lasts from the first minute of its opening day at which the clock of its place shows `from` or later, to the
first at which it shows `to` or later. A freeze is whole days of its place.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from orchestrator.model.plan.plan import Freeze, Plan, Window
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Intent, Record

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)

#: Places with and without summer time; one of them changes its clock by half an hour.
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def check_starts(plan: Plan, records: Iterable[Record]) -> int:
    """How many upgrades started, each of them at an instant that the plan allows."""
    targets = {target.proxy_id: target for target in plan.proxies}
    intents = [record for record in records if isinstance(record, Intent)]
    for record in intents:
        assert record.target is not None
        problem = forbidden(plan, targets[record.target], record.at)
        assert problem is None, problem
    return len(intents)


def forbidden(plan: Plan, target: Target, at: datetime) -> str | None:
    """Why a target may not start at an instant, by windows and freezes; None when it may."""
    if any(_frozen(freeze, at) for freeze in plan.freezes):
        return f"in a freeze: {at}"
    windows = own_window(target) if plan.windows == "instance" else plan.windows
    if windows and not any(is_open(window, at) for window in windows):
        return f"outside windows: {at}"
    return None


def first_opening(plan: Plan, after: datetime) -> datetime:
    """About when something may start again; two weeks later when nothing may before."""
    instants = (after + timedelta(minutes=10 * number) for number in range(14 * 144))
    may_start = (each for each in instants if any(not forbidden(plan, target, each) for target in plan.proxies))
    return next(may_start, after + timedelta(days=14))


def own_window(target: Target) -> tuple[Window, ...]:
    """The maintenance window of a target's instance, `HH:MM-HH:MM` in UTC."""
    assert target.facts is not None
    assert target.facts.maintenance_window is not None
    opens, closes = (60 * int(text[:2]) + int(text[3:]) for text in target.facts.maintenance_window.split("-"))
    return (Window(opens=opens, closes=closes % 1440, timezone="UTC"),)


def is_open(window: Window, at: datetime) -> bool:
    """Whether a window is open at an instant."""
    today = at.astimezone(ZoneInfo(window.timezone)).date()
    return any(_spans(window, day, at) for day in (today - _DAY, today, today + _DAY))


def openings(plan: Plan, at: datetime) -> list[str]:
    """Names of the windows that are open at an instant, each with the day of its opening; without any, the UTC day."""
    if not plan.windows or plan.windows == "instance":
        return [f"{at:%Y-%m-%d}"]
    found = []
    for number, window in enumerate(plan.windows):
        today = at.astimezone(ZoneInfo(window.timezone)).date()
        days = (today - _DAY, today, today + _DAY)
        found += [f"window {number} of {day}" for day in days if _spans(window, day, at)]
    return found


def _spans(window: Window, day: date, at: datetime) -> bool:
    if day.weekday() not in window.days:
        return False
    closing = day if window.closes > window.opens else day + _DAY
    opens = _first_minute(window.timezone, day, window.opens)
    return opens <= at < _first_minute(window.timezone, closing, window.closes)


@lru_cache(maxsize=10_000)
def _first_minute(zone: str, day: date, minutes: int) -> datetime:
    """The first minute of a day at which its clock shows so many minutes after midnight, or more."""
    place = ZoneInfo(zone)
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while True:
        local = instant.astimezone(place)
        if local.date() > day or (local.date() == day and 60 * local.hour + local.minute >= minutes):
            return instant
        instant += _MINUTE


def _frozen(freeze: Freeze, at: datetime) -> bool:
    return freeze.start <= at.astimezone(ZoneInfo(freeze.timezone)).date().isoformat() <= freeze.end


def some_windows(random: Random) -> tuple[Window, ...]:
    """One to three windows of at least three hours, on some days or all, somewhere in the world."""
    return tuple(_some_window(random) for _ in range(random.choice((1, 1, 2, 3))))


def _some_window(random: Random) -> Window:
    opens = random.randrange(0, 1440, 5)
    days = random.choice((range(7), range(7), (5, 6), (0, 2, 4)))
    return Window(
        days=tuple(days),
        opens=opens,
        closes=(opens + random.randrange(180, 600, 5)) % 1440,
        timezone=random.choice(ZONES),
    )


def some_freezes(random: Random, start: datetime) -> tuple[Freeze, ...]:
    """None or two freezes of up to three days in the week after an instant."""
    found = []
    for _ in range(random.choice((0, 0, 1, 2))):
        first = start.date() + timedelta(days=random.randint(-1, 6))
        last = first + timedelta(days=random.randint(0, 2))
        found.append(Freeze(start=first.isoformat(), end=last.isoformat(), timezone=random.choice(ZONES)))
    return tuple(found)
