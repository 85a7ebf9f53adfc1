"""The forecast of a rehearsed run as plain text."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.planner.preview.forecast_values import Bound, Range, Rehearsed, Stretch, WaveTimes
from orchestrator.spoken import counted, spoken

#: Phases that are shown; a run over many nights repeats itself.
_PHASES = 8

#: Within so many days the name of a day says which one is meant.
_NAMED_DAYS = timedelta(days=6)


def rehearsed_lines(forecast: Rehearsed) -> Iterator[str]:
    """The lines of a forecast."""
    clock = _Clock(forecast)
    took = forecast.duration_s
    if forecast.unfinished is not None:
        yield f"forecast: such a run does not come to its end by itself: {forecast.unfinished}"
    else:
        yield (
            f"forecast: {spoken(took.p5)} to {spoken(took.p95)}, typically {spoken(took.p50)}; "
            f"started now ({clock.at(forecast.starts_at)} {forecast.timezone}) it ends {clock.at(forecast.ends_at)}"
        )
    yield f"  {_basis(forecast)}"
    yield from (f"  {line}" for line in _waves(forecast, clock))
    yield f"  {_numbers(forecast)}"
    yield f"  {_limited(forecast.phases, clock)}"
    yield from (f"  {line}" for line in _nights(forecast))
    if forecast.bound is not None:
        yield f"  {_bound(forecast.bound, clock)}"
    for wave in forecast.approves:
        yield f"  wave {wave} waits for a person; that wait is not in it"


class _Clock:
    """Instants as the clock of the plan's windows shows them, with the day or the date when it is another one."""

    def __init__(self, forecast: Rehearsed) -> None:
        self._zone = ZoneInfo(forecast.timezone)
        self._far = forecast.ends_at - forecast.starts_at >= _NAMED_DAYS

    def at(self, instant: datetime) -> str:
        """Such as `Sat 22:00`."""
        return f"{instant.astimezone(self._zone):{'%a %Y-%m-%d %H:%M' if self._far else '%a %H:%M'}}"

    def until(self, phase: Stretch) -> str:
        """The end of a phase, without the day when it is that of its beginning."""
        begins, ends = phase.starts_at.astimezone(self._zone), phase.ends_at.astimezone(self._zone)
        return f"{ends:%H:%M}" if begins.date() == ends.date() else self.at(phase.ends_at)


def _basis(forecast: Rehearsed) -> str:
    of = f"{spoken(forecast.typical_s)} for one upgrade"
    if forecast.learned_from:
        return f"rehearsed {forecast.samples} times with {of}, learned from {forecast.learned_from:,} of this fleet"
    return f"rehearsed {forecast.samples} times with {of} (follow.expected); nothing fails in it"


def _waves(forecast: Rehearsed, clock: _Clock) -> Iterator[str]:
    for wave in forecast.waves:
        if wave.starts_at is None or wave.ends_at is None or wave.ends_s is None:
            yield f"wave {wave.name}: sends nothing"
        else:
            yield f"wave {wave.name}: {clock.at(wave.starts_at)} to {clock.at(wave.ends_at)}{_spread(forecast, wave)}"


def _spread(forecast: Rehearsed, wave: WaveTimes) -> str:
    """Between which instants it ends, where that is not the same minute."""
    ends = wave.ends_s
    if ends is None or forecast.samples == 1 or spoken(ends.p5) == spoken(ends.p95):
        return ""
    return f" (ends after {spoken(ends.p5)} to {spoken(ends.p95)})"


def _numbers(forecast: Rehearsed) -> str:
    nights = f"nights: {_counted(forecast.nights)}; " if forecast.nights else ""
    return f"{nights}calls: {_counted(forecast.calls)}; most in flight at once: {forecast.peak_in_flight:,}"


def _bound(bound: Bound, clock: _Clock) -> str:
    starts = f"{_counted(bound.starts)} of {counted(bound.of, 'upgrade')} start"
    return (
        f"before {clock.at(bound.at)}, when this session stops starting: {starts}; what is above is without that bound"
    )


def _counted(number: Range) -> str:
    return f"{number.p50:,.0f}" if number.p5 == number.p95 else f"{number.p5:,.0f} to {number.p95:,.0f}"


def _limited(phases: Sequence[Stretch], clock: _Clock) -> str:
    if not phases:
        return "limited by nothing"
    *before, last = phases[: _PHASES + 1]
    words = [f"by {phase.limited_by} until {clock.until(phase)}" for phase in before]
    words.append(f"by {last.limited_by}" if len(phases) <= _PHASES + 1 else "and so on")
    return "limited " + ", then ".join(words)


def _nights(forecast: Rehearsed) -> Iterator[str]:
    if forecast.nights is None or forecast.nights.p50 <= 1 or forecast.unfinished is not None:
        return
    change = forecast.one_night
    if change is None:
        yield "no single limit that was tried brings it into one night"
    else:
        yield f"one night is enough with {change.key}: {change.value}, typically {spoken(change.duration_s)} from now"
