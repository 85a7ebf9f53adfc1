"""The forecast of a plan: several rehearsals with other durations, and what they say together."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from msgspec import structs

from orchestrator.forecast.environment import Setting
from orchestrator.forecast.phases import longest, phases
from orchestrator.forecast.ranges import by_chance, range_of
from orchestrator.forecast.result import Rehearsal, WaveSpan
from orchestrator.forecast.simulate import play
from orchestrator.forecast.uncertain_durations import Knowledge
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.run.run import Run
from orchestrator.planner.preview.forecast_values import Bound, Rehearsed, Stretch, WaveTimes
from orchestrator.planner.waves import assign_waves

#: A small fleet is rehearsed often, for there single durations count; of a large one the average is all that counts.
_TARGETS_IN_ALL = 3300
_FEWEST, _MOST = 3, 11

#: Of twenty runs one is faster than the interval, and one slower.
_P5 = 0.05


def rehearse(
    plan: Plan,
    targets: Sequence[Target],
    *,
    left_out: AbstractSet[str] = frozenset(),
    unread: AbstractSet[str] = frozenset(),
    seen: Sequence[float] = (),
    start: datetime,
    begun: Run | None = None,
    free: Mapping[str, int] | None = None,
    events: Mapping[str, Sequence[CloudEvent]] | None = None,
    bound: datetime | None = None,
    zone: tzinfo = UTC,
    clouds: Mapping[str, float] | None = None,
) -> Rehearsed:
    """The forecast of a run that begins at an instant, and in which nothing fails.

    Args:
        plan: whose waves, limits, budgets, windows and freezes hold.
        targets: all of it.
        left_out: proxy ids that are known to need no upgrade.
        unread: of these, those that the run leaves out without a look at their version.
        seen: how long upgrades of this fleet took, in seconds.
        start: when the run begins, or goes on, by this host's clock; it is started again as soon as it can go on.
        begun: the run as it stands, if it goes on; it is left as it is.
        free: the addresses that subnets have left, as far as they were read.
        events: what the cloud is about to do itself, by scope; None: as the run knows it.
        bound: from when on the first session starts nothing; how many start before is counted.
        zone: of this host.
        clouds: the cloud's time minus this host's in seconds, by scope, as far as it is known: the forecast tells its
            instants by the calendar of a session, which follows the cloud's clock where the host's is wrong.

    Raises:
        PlanError: the targets cannot be shared out to the waves.
    """
    setting, known = _prepared(plan, targets, left_out, seen, start)
    setting = structs.replace(
        setting, unread=unread, begun=begun, free=free or {}, events=events, zone=zone, clouds=clouds or {}
    )
    samplers = [partial(known.sampler, level, seed) for seed, level in enumerate(_levels(len(targets)))]
    played = [play(setting, sampler()) for sampler in samplers]
    typical = len(played) // 2
    told = _now(setting, known, played)
    if told.unfinished is None and played[typical].nights > 1:
        from orchestrator.forecast.change import one_night  # noqa: PLC0415  # one rehearsal alone asks for none

        told = structs.replace(told, one_night=one_night(setting, played[typical], samplers[typical]))
    return told if bound is None else structs.replace(told, bound=_before(setting, played, bound))


def rehearse_once(
    plan: Plan,
    targets: Sequence[Target],
    *,
    left_out: AbstractSet[str] = frozenset(),
    unread: AbstractSet[str] = frozenset(),
    seen: Sequence[float] = (),
    start: datetime,
    begun: Run | None = None,
    free: Mapping[str, int] | None = None,
    events: Mapping[str, Sequence[CloudEvent]] | None = None,
    zone: tzinfo = UTC,
    clouds: Mapping[str, float] | None = None,
) -> Rehearsed:
    """What the typical one of the rehearsals that `rehearse` makes says alone, with the same arguments.

    Raises:
        PlanError: the targets cannot be shared out to the waves.
    """
    setting, known = _prepared(plan, targets, left_out, seen, start)
    setting = structs.replace(
        setting, unread=unread, begun=begun, free=free or {}, events=events, zone=zone, clouds=clouds or {}
    )
    levels = _levels(len(targets))
    typical = len(levels) // 2
    return _now(setting, known, [play(setting, known.sampler(levels[typical], typical))])


def _prepared(
    plan: Plan, targets: Sequence[Target], left_out: AbstractSet[str], seen: Sequence[float], start: datetime
) -> tuple[Setting, Knowledge]:
    longest_s = plan.follow.timeout_s
    known = Knowledge(plan.follow.expected_s, longest_s, sorted(each for each in seen if 0 < each <= longest_s))
    setting = Setting(
        plan=plan,
        targets=targets,
        staging=assign_waves(plan, targets, left_out),
        left_out=left_out,
        start=start,
        typical_s=known.typical_s,
    )
    return setting, known


def _levels(targets: int) -> list[float]:
    """From fast to slow, an odd number of them, so that the one in the middle is typical."""
    wanted = _TARGETS_IN_ALL // max(1, targets)
    count = min(_MOST, max(_FEWEST, wanted - 1 + wanted % 2))
    outermost = min(_P5, 0.5 / count)
    return [outermost + (1 - 2 * outermost) * number / (count - 1) for number in range(count)]


def _now(setting: Setting, known: Knowledge, played: Sequence[Rehearsal]) -> Rehearsed:
    plan, typical = setting.plan, played[len(played) // 2]
    return Rehearsed(
        starts_at=setting.begins,
        timezone=_timezone(plan),
        samples=len(played),
        learned_from=len(known.seen),
        typical_s=known.typical_s,
        duration_s=range_of(each.ends_s for each in played),
        ends_at=_at(setting, typical.ends_s),
        waves=tuple(_wave(setting, name, played) for name in typical.waves),
        nights=range_of(float(each.nights) for each in played) if plan.windows else None,
        calls=by_chance([float(each.calls) for each in played]),
        peak_in_flight=max(each.peak for each in played),
        phases=tuple(_phases(setting, typical)),
        one_night=None,
        approves=tuple(wave.name for wave in plan.waves if wave.approve),
        unfinished=typical.unfinished,
        limited_by=longest(typical.spans, 0.0, typical.ends_s),
    )


def _before(setting: Setting, played: Sequence[Rehearsal], bound: datetime) -> Bound:
    bound_s = (bound - setting.begins).total_seconds()
    starts = range_of(float(bisect_left(each.starts_s, bound_s)) for each in played)
    return Bound(at=bound, starts=starts, of=len(played[len(played) // 2].starts_s))


def _wave(setting: Setting, name: str, played: Sequence[Rehearsal]) -> WaveTimes:
    spans = [each.waves[name] for each in played]
    typical = spans[len(spans) // 2]
    starts = [span.starts_s for span in spans if span.starts_s is not None]
    ends = [span.ends_s for span in spans if span.ends_s is not None]
    return WaveTimes(
        name=name,
        starts_at=None if typical.starts_s is None else _at(setting, typical.starts_s),
        ends_at=None if typical.ends_s is None else _at(setting, typical.ends_s),
        starts_s=range_of(starts) if starts else None,
        ends_s=range_of(ends) if ends else None,
        limited_by=_limit(played[len(played) // 2], typical),
    )


def _limit(run: Rehearsal, wave: WaveSpan) -> str | None:
    return None if wave.starts_s is None or wave.ends_s is None else longest(run.spans, wave.starts_s, wave.ends_s)


def _phases(setting: Setting, typical: Rehearsal) -> Iterator[Stretch]:
    for spell in phases(typical.spans, typical.ends_s):
        yield Stretch(starts_at=_at(setting, spell.starts_s), ends_at=_at(setting, spell.ends_s), limited_by=spell.by)


def _at(setting: Setting, seconds: float) -> datetime:
    return setting.begins + timedelta(seconds=round(seconds))


def _timezone(plan: Plan) -> str:
    zones = {window.timezone for window in plan.windows} if plan.windows != "instance" else set()
    return zones.pop() if len(zones) == 1 else "UTC"
