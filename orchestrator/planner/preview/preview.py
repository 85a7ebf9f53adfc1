"""What a run would do, as a value: every wave with its targets by version, what is left out and why, and the numbers.

Nothing is read here: the versions, if any, come in. `table` prints it, and it is plain JSON as it stands.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import structs

from orchestrator.model.plan.plan import MINUTE_S, Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.run.eligibility import LeaveOut, Reading, Verdict, allowed_sources, verdict
from orchestrator.planner.next_run import NextRun
from orchestrator.planner.preview.estimate import Forecast, forecast, most_at_once
from orchestrator.planner.preview.foretold import expecting, foretold, risks_of
from orchestrator.planner.preview.preview_values import Calls, GatePreview, LeftOut, Preview, StepGroup, WavePreview
from orchestrator.planner.preview.start_state import approve_command, limits_words, redo_command, state_lines
from orchestrator.planner.set_aside import Aside
from orchestrator.planner.targets.resolve import Excluded, Resolved
from orchestrator.planner.waves import Staging, WaveShare, assign_waves

_DAY_MINUTES = 24 * 60


def make_preview(
    plan: Plan,
    resolved: Resolved,
    readings: Mapping[str, Reading] | None = None,
    coming: NextRun | None = None,
) -> Preview:
    """The preview of a plan.

    Args:
        plan: what the run follows.
        resolved: the targets of the plan.
        readings: by proxy_id; None when the cloud was not asked at all.
        coming: the run that a start takes up; None for one that begins with all targets.

    Raises:
        PlanError: the targets cannot be shared out to the waves.
    """
    coming, plan = coming or NextRun(targets=tuple(resolved.targets)), expecting(plan, readings or {})
    targets = list(coming.targets)
    looked_at = _left_out(plan, targets, readings or {})
    left_out = looked_at | coming.aside
    staging = assign_waves(plan, targets, {key for key, aside in left_out.items() if aside.replaced})
    expected = forecast(plan, targets, staging, frozenset(left_out), len(looked_at.keys() - coming.aside.keys()))
    waves = [
        structs.replace(
            _wave(plan, share, _grouped(plan, share, targets, left_out, readings), expected, number),
            waits=sum(targets[index].proxy_id not in coming.aside for index in share.targets),
            release=approve_command(plan, coming, share.name) if share.approve else None,
        )
        for number, share in enumerate(_approved(staging.waves, coming.approved))
    ]
    inside = {target.proxy_id for target in targets} if coming.aside else set()
    others = [each for each in resolved.targets if each.proxy_id not in inside] if inside else []
    listed = _listed([*targets, *others], left_out) + _excluded(resolved.excluded)
    preview = _preview(plan, staging, expected, waves, listed, readings)
    return structs.replace(
        preview,
        state=tuple(state_lines(plan, coming)),
        starts=0 if coming.starts_nothing else sum(wave.sends for wave in unapproved(waves)),
        repeats=coming.repeats,
        redo=redo_command(plan, coming),
        limits=limits_words(plan, coming),
        gates=tuple(GatePreview(name=gate.name, at=gate.at, answer=None) for gate in plan.gates),
        warnings=(*preview.warnings, *coming.warnings),
    )


def _approved(waves: Sequence[WaveShare], approved: Collection[str]) -> Iterator[WaveShare]:
    """The waves, of which those that a person has let begin wait for nobody any more."""
    for wave in waves:
        yield structs.replace(wave, approve=wave.approve and wave.name not in approved)


def unapproved(waves: list[WavePreview]) -> Iterator[WavePreview]:
    """The waves that come before a person must approve one."""
    for wave in waves:
        if wave.awaits_approval:
            return
        yield wave


def _left_out(plan: Plan, targets: list[Target], readings: Mapping[str, Reading]) -> dict[str, Aside]:
    found: dict[str, Aside] = {}
    for target in targets if readings else ():
        reading = readings.get(target.proxy_id)
        judged = _judged(plan, target, reading) if isinstance(reading, ProxyVersion) else reading
        if isinstance(judged, LeaveOut):
            found[target.proxy_id] = Aside(judged.outcome.value, judged.reason, judged.why, replaced=True)
    return found


def _judged(plan: Plan, target: Target, version: ProxyVersion) -> Verdict:
    return verdict(plan.target_version, allowed_sources(plan.source_versions, target.source_version), version)


def _grouped(
    plan: Plan,
    share: WaveShare,
    targets: list[Target],
    left_out: dict[str, Aside],
    readings: Mapping[str, Reading] | None,
) -> list[StepGroup]:
    groups: dict[tuple[str | None, tuple[str, ...], str | None], list[Target]] = {}
    for index in share.targets:
        target = targets[index]
        if left_out and target.proxy_id in left_out:
            continue
        reading = None if readings is None else readings.get(target.proxy_id, "was not read")
        current = reading.current_version if isinstance(reading, ProxyVersion) else None
        sources = () if current else allowed_sources(plan.source_versions, target.source_version)
        problem = reading if isinstance(reading, str) else None
        groups.setdefault((current, sources, problem), []).append(target)
    return [
        StepGroup(
            source_version=key[0],
            target_version=plan.target_version,
            expected=key[1],
            problem=key[2],
            targets=rows,
            risks=risks_of(rows, readings or {}),
        )
        for key, rows in sorted(groups.items(), key=lambda item: (item[0][0] or "", item[0][1], item[0][2] or ""))
    ]


def _wave(plan: Plan, share: WaveShare, groups: list[StepGroup], expected: Forecast, number: int) -> WavePreview:
    part, sent = expected.waves[number], [target for group in groups for target in group.targets]
    return WavePreview(
        name=share.name,
        sends=len(sent),
        size=share.size,
        in_flight=share.in_flight,
        at_once=min(share.in_flight, most_at_once(plan.limits, sent)),
        max_failures=share.max_failures,
        max_rejected=share.max_rejected,
        soak_s=plan.waves[number].soak_s,
        approve=share.approve,
        duration_s=part.duration_s,
        limited_by=part.limited_by,
        groups=groups,
        impact=foretold(groups),
    )


def _listed(targets: list[Target], left_out: dict[str, Aside]) -> list[LeftOut]:
    groups: dict[Aside, list[Target]] = {}
    for target in targets if left_out else ():
        if aside := left_out.get(target.proxy_id):
            groups.setdefault(aside, []).append(target)
    return [
        LeftOut(outcome=key.outcome, reason=key.reason, why=key.why, targets=rows, may_be_sent=key.may_be_sent)
        for key, rows in groups.items()
    ]


def _excluded(excluded: list[Excluded]) -> list[LeftOut]:
    groups: dict[int, list[Target]] = {}
    for each in excluded:
        groups.setdefault(each.entry, []).append(each.target)
    return [
        LeftOut(outcome="excluded", reason="excluded", why=f"matches exclude[{entry}]", targets=rows)
        for entry, rows in sorted(groups.items())
    ]


def _preview(
    plan: Plan,
    staging: Staging,
    expected: Forecast,
    waves: list[WavePreview],
    left_out: list[LeftOut],
    readings: Mapping[str, Reading] | None,
) -> Preview:
    upgrades = expected.upgrade_calls
    at_most = upgrades + sum(len(group.targets) for group in left_out if group.may_be_sent)
    return Preview(
        name=plan.name,
        target_version=plan.target_version,
        versions_read=readings is not None,
        undiscovered=bool(plan.discover) and readings is None,
        targets=sum(len(share.targets) for share in staging.waves),
        sends=upgrades,
        sends_at_most=at_most,
        starts=upgrades,
        mode=plan.failures.mode,
        in_flight=staging.in_flight,
        max_failures=staging.max_failures,
        max_rejected=staging.max_rejected,
        scopes=staging.scopes,
        waves=waves,
        left_out=left_out,
        calls=Calls(read=len(readings or ()), upgrades=upgrades, upgrades_at_most=at_most, all=expected.calls),
        duration_s=expected.duration_s,
        limited_by=expected.limited_by,
        closes=bool(plan.windows or plan.freezes),
        per_window=plan.limits.per_window,
        warnings=(*_not_looked_at(plan, readings), *_never_fits(plan), *staging.warnings),
    )


def _not_looked_at(plan: Plan, readings: Mapping[str, Reading] | None) -> tuple[str, ...]:
    if readings is not None or not plan.discover:
        return ()
    return ("discover: finding proxies needs the network, so offline only those written out are shown",)


def _never_fits(plan: Plan) -> tuple[str, ...]:
    """With `fit`, a window that is shorter than an upgrade never lets one start."""
    if plan.windows == "instance" or not plan.windows or not plan.fit:
        return ()
    minutes = ((window.closes - window.opens) % _DAY_MINUTES or _DAY_MINUTES for window in plan.windows)
    if plan.follow.expected_s <= MINUTE_S * sum(minutes):
        return ()
    return (
        "fit: no upgrade ever starts, for follow.expected is longer than the windows; set fit: false, or open longer",
    )
