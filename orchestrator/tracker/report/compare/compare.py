"""Two witnesses -> a comparison, pure. It says of a proxy only what both runs saw of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from orchestrator.model.record.outcome import Phase
from orchestrator.spoken import counted
from orchestrator.tracker.report.compare.comparison_schema import (
    ChangeKind,
    Comparison,
    OneSided,
    OutcomeStep,
    ProxyChange,
    RejectChange,
    Said,
    ScopeChange,
)
from orchestrator.tracker.report.compare.witness import Witness, ended, ended_well
from orchestrator.tracker.report.schema import RejectReason

#: In which order kinds are told: what got worse comes first.
KINDS: Sequence[ChangeKind] = ("well_before", "well_in_neither", "not_ended", "well_now", "well_in_both")
_SEEN = ("new", "gone", "both")


def compare(earlier: Witness, later: Witness) -> Comparison:
    """What changed between two runs of a fleet."""
    met = [(key, earlier.said[key], said) for key, said in later.said.items() if key in earlier.said]
    changes = [
        ProxyChange(
            kind=kind, proxy_id=key, name=later.names.get(key) or earlier.names.get(key), earlier=before, later=now
        )
        for key, before, now in met
        if (kind := kind_of(before, now)) != "well_in_both"
    ]
    return Comparison(
        name=later.fleet,
        earlier=earlier.side,
        later=later.side,
        cautions=list(_cautions(earlier, later)),
        both=len(met),
        steps=_steps([(before, now) for _key, before, now in met]),
        changes=changes,
        only_later=_one_sided(later, earlier),
        only_earlier=_one_sided(earlier, later),
        rejects=_rejects(earlier.rejects, later.rejects),
        scopes=[
            ScopeChange(name=name, earlier=earlier.scopes.get(name), later=later.scopes.get(name))
            for name in dict.fromkeys([*later.scopes, *earlier.scopes])
        ],
    )


def kind_of(earlier: Said, later: Said) -> ChangeKind:
    """What two runs saw of the end of one proxy."""
    if not (ended(earlier) and ended(later)):
        return "not_ended"
    if ended_well(later):
        return "well_in_both" if ended_well(earlier) else "well_now"
    return "well_before" if ended_well(earlier) else "well_in_neither"


def _steps(met: Sequence[tuple[Said, Said]]) -> list[OutcomeStep]:
    found = Counter((kind_of(before, now), before.outcome, now.outcome) for before, now in met)
    ordered = sorted(found, key=lambda key: (KINDS.index(key[0]), -found[key], key))
    return [OutcomeStep(kind=key[0], earlier=key[1], later=key[2], proxies=found[key]) for key in ordered]


def _one_sided(has: Witness, other: Witness) -> OneSided:
    alone = {key: said.outcome for key, said in has.said.items() if not other.has(key)}
    found = Counter(alone.values())
    outcomes = {name: found[name] for name in has.side.outcomes if found[name]}
    return OneSided(outcomes=outcomes, proxy_ids=list(alone))


def _rejects(earlier: Sequence[RejectReason], later: Sequence[RejectReason]) -> list[RejectChange]:
    before = {(each.signature, each.error_code): each for each in earlier}
    now = {(each.signature, each.error_code): each for each in later}
    found = [_reject(before.get(key), now.get(key)) for key in dict.fromkeys([*now, *before])]
    return sorted(found, key=lambda each: (_SEEN.index(each.seen), -each.later, -each.earlier, each.signature))


def _reject(before: RejectReason | None, now: RejectReason | None) -> RejectChange:
    one = next(each for each in (now, before) if each is not None)
    return RejectChange(
        seen="new" if before is None else "gone" if now is None else "both",
        reason=one.reason,
        signature=one.signature,
        error_code=one.error_code,
        earlier=len(before.proxy_ids) if before else 0,
        later=len(now.proxy_ids) if now else 0,
        remedy=one.remedy,
    )


def _cautions(earlier: Witness, later: Witness) -> Iterator[str]:
    """What a reader has to know before believing a difference."""
    before, now = earlier.side, later.side
    if before.target_version != now.target_version:
        yield (
            f"The runs had different versions as target, {before.target_version} and {now.target_version}: "
            "each outcome is about its own."
        )
    if before.simulated != now.simulated:
        yield "One of the runs was simulated."
    elif before.plan_sha256 != now.plan_sha256:
        yield "The plan file was changed between the runs."
    for word, side in (("earlier", before), ("later", now)):
        if side.state != "completed":
            yield f"The {word} run is {side.state}: what it has not seen yet may still change."
    only_kept = sum(earlier.has(key) and later.has(key) for key in {*earlier.kept, *later.kept})
    if only_kept:
        yield (
            f"{counted(only_kept, 'proxy', 'proxies')} in both {'is' if only_kept == 1 else 'are'} left aside: "
            "one of the runs only keeps what a run before it said."
        )


def listed(comparison: Comparison) -> Iterator[tuple[ChangeKind, list[OutcomeStep], list[ProxyChange]]]:
    """Each kind that occurs, with its steps, and its proxies unless all there is to say is that they waited."""
    for kind in KINDS:
        steps = [each for each in comparison.steps if each.kind == kind]
        if steps:
            yield kind, steps, [each for each in comparison.changes if each.kind == kind and not _waited(each)]


def _waited(change: ProxyChange) -> bool:
    return Phase.WAITING in (change.earlier.outcome, change.later.outcome)


def unchanged(comparison: Comparison) -> bool:
    """Whether every proxy ended well in both runs, and both had the same."""
    others = chain(comparison.changes, comparison.only_later.proxy_ids, comparison.only_earlier.proxy_ids)
    return next(iter(others), None) is None
