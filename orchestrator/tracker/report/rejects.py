"""The reasons for which the cloud said no, counted by signature: REJECT entries and refusing errors alike."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

import msgspec

from orchestrator.model.learned.refusal import Refusal, refusals
from orchestrator.model.record.outcome import ORDER, Outcome
from orchestrator.model.reply.remedy import remedy_of
from orchestrator.model.reply.signature import signature
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted
from orchestrator.tracker.report.parts.in_common import Place, Traits, in_common, places_of, traits_of
from orchestrator.tracker.report.schema import RejectReason

#: So many reasons stand in a preview.
_TOLD = 3

#: Signature and error code.
_Key: TypeAlias = tuple[str, str | None]


class _Met(msgspec.Struct):
    """What is known of one reason.

    Attributes:
        proxies: that got it, in plan order.
    """

    texts: Counter[str] = msgspec.field(default_factory=Counter)
    proxies: dict[str, None] = {}
    first_seen: datetime | None = None


def reject_reasons(run: Run) -> list[RejectReason]:
    """Every reason, the most frequent first, each with the targets in plan order that got it."""
    found: dict[_Key, _Met] = {}
    refused = run.states.refused()
    for state in run.states.glances(filter(refused.__contains__, run.targets)):
        for refusal, at in _dated(state):
            met = found.setdefault((refusal.signature, refusal.error_code), _Met())
            met.texts[refusal.text] += 1
            met.proxies[state.key] = None
            met.first_seen = min(filter(None, (met.first_seen, at)), default=None)
    asked = _traits(run, run.states) if found else Traits()
    before = set(map(signature, run.started.known_rejects)) if run.started else set()
    ordered = sorted(found, key=lambda key: (-found[key].texts.total(), key[0], key[1] or ""))
    return [
        _reason(run, key, found[key], in_common(_traits(run, found[key].proxies), asked, looks=len(found)), before)
        for key in ordered
    ]


def refused_before(run: Run) -> Iterator[str]:
    """What a person should know before the next run: why upgrades were refused in this one, and what to do about it."""
    for each in reject_reasons(run)[:_TOLD]:
        if len(each.proxy_ids) > each.upgraded:
            words = [f"the latest run was refused for {_refused(each)}: {each.reason}", *each.in_common]
            yield "; ".join(words) + (f" -> {each.remedy}" if each.remedy else "")


def _refused(reason: RejectReason) -> str:
    """How many proxies got this answer: as many as the report says."""
    more = f", of which {counted(reason.upgraded, 'was', 'were')} upgraded all the same" if reason.upgraded else ""
    return f"{counted(len(reason.proxy_ids), 'proxy', 'proxies')}{more}"


def _traits(run: Run, proxy_ids: Iterable[str]) -> Traits:
    """The traits of those for which the cloud was asked to upgrade them."""
    found = Traits()
    for state in run.states.glances(proxy_ids):
        if state.attempts or state.outcome is Outcome.REJECTED:
            found.add(traits_of(state.target, _read_version(state)))
    return found


def _counted(run: Run, proxy_ids: Iterable[str]) -> dict[Place, dict[str, int]]:
    """How many of these are where; the most frequent first."""
    found: dict[Place, Counter[str]] = {}
    for state in run.states.glances(proxy_ids):
        for place, value in places_of(state.target, _read_version(state)):
            found.setdefault(place, Counter())[value] += 1
    return {place: dict(counts.most_common()) for place, counts in found.items()}


def _read_version(state: TargetState) -> str | None:
    return state.last.intent.source_version if state.attempts else state.read_version


def _reason(run: Run, key: _Key, met: _Met, common: list[str], before: set[str]) -> RejectReason:
    reasons = [text for text, _count in met.texts.most_common()]
    standing = Counter(map(run.standing, met.proxies))
    return RejectReason(
        reason=reasons[0],
        signature=key[0],
        reasons=reasons,
        error_code=key[1],
        count=met.texts.total(),
        proxy_ids=list(met.proxies),
        upgraded=sum(state.seen_upgraded for state in run.states.glances(met.proxies)),
        outcomes={name: standing[name] for name in ORDER if standing[name]},
        first_seen=met.first_seen,
        met_before=key[0] in before,
        remedy=remedy_of(reasons[0], key[1]),
        where=_counted(run, met.proxies),
        in_common=common,
    )


def refusals_of(state: TargetState) -> Iterator[Refusal]:
    """Every no that one target got, in order; at least one when it is `rejected`."""
    for refusal, _at in _dated(state):
        yield refusal


def _dated(state: TargetState) -> Iterator[tuple[Refusal, datetime | None]]:
    found = False
    for answer in [attempt.answer for attempt in state.attempts if attempt.answer is not None]:
        for refusal in refusals(answer):
            found = True
            yield refusal, answer.at
    if not found and state.outcome is Outcome.REJECTED:
        yield Refusal(state.reason or "refused", state.error_code), state.settled_at
