"""The sentences of a comparison, for the text and for the page."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from orchestrator.model.reply.signature import signature
from orchestrator.spoken import counted, spoken
from orchestrator.tracker.report.compare.compare import unchanged
from orchestrator.tracker.report.compare.comparison_schema import (
    ChangeKind,
    Comparison,
    ProxyChange,
    RejectChange,
    Side,
)
from orchestrator.tracker.report.compare.witness import ended_well

#: What a row of the table says, of the earlier run and of the later one.
Row: TypeAlias = tuple[str, str, str]

TITLES: dict[ChangeKind, str] = {
    "well_before": "Ended well in the earlier run, not in the later one",
    "well_in_neither": "Ended well in neither",
    "not_ended": "One of the runs did not see it end",
    "well_now": "Ended well in the later run, not in the earlier one",
    "well_in_both": "Ended well in both",
}
_SHORT: dict[ChangeKind, str] = {
    "well_before": "ended well before and not now",
    "well_in_neither": "ended well in neither",
    "not_ended": "without an end in one of them",
    "well_now": "ended well now and not before",
    "well_in_both": "ended well in both",
}
#: Of a reason to refuse.
SEEN = {"new": "new", "gone": "not met again", "both": "in both"}
_UNSEEN = "-"


def verdict(comparison: Comparison) -> str:
    """One sentence: what changed."""
    if not comparison.both:
        return "The runs looked at no proxy in common."
    if unchanged(comparison):
        return f"No change: {counted(comparison.both, 'proxy', 'proxies')}, and each ended well in both runs."
    counts: dict[ChangeKind, int] = {}
    for step in comparison.steps:
        counts[step.kind] = counts.get(step.kind, 0) + step.proxies
    said = ", ".join(f"{number:,} {_SHORT[kind]}" for kind, number in counts.items())
    better, worse = counts.get("well_now", 0), counts.get("well_before", 0)
    more = [
        f"{len(one.proxy_ids):,} only the {word} run had"
        for word, one in (("later", comparison.only_later), ("earlier", comparison.only_earlier))
        if one.proxy_ids
    ]
    met = counted(comparison.both, "proxy", "proxies")
    return f"{_turn(better, worse)}: of {met} in both runs, {'; '.join([said, *more])}."


def _turn(better: int, worse: int) -> str:
    """What became of the proxies on the whole, in a word."""
    if better and worse:
        return f"Better for {better:,}, worse for {worse:,}"
    return "Better" if better else "Worse" if worse else "Neither better nor worse"


def whose(comparison: Comparison) -> str:
    """Which two runs stand against each other."""
    one, other = comparison.earlier, comparison.later
    return f"The run of {_begun(other)} against that of {_begun(one)}."


def _begun(side: Side) -> str:
    length = _lasted(side) if side.ended_at is None else f"lasted {_lasted(side)}"
    return f"{side.started_at:%Y-%m-%d %H:%MZ} ({length})"


def why(changes: Iterable[ProxyChange]) -> Iterator[tuple[int, str]]:
    """The reasons of those that did not end well, of the run in which they did not, the latest one; most first.

    Texts that differ only in what they name are one reason.
    """
    reasons: dict[str, list[str]] = {}
    for each in changes:
        said = each.earlier if each.kind == "well_now" else each.later
        if said.reason and not ended_well(said):
            reasons.setdefault(signature(said.reason), []).append(said.reason)
    for common, same in sorted(reasons.items(), key=lambda found: (-len(found[1]), found[0])):
        yield len(same), same[0] if len(set(same)) == 1 else common


def rows(comparison: Comparison) -> Iterator[Row]:
    """The two runs as wholes, side by side."""
    before, now = comparison.earlier, comparison.later
    yield "run", before.run_id, now.run_id
    yield "state", _state(before), _state(now)
    if before.simulated or now.simulated:
        yield "cloud", _cloud(before), _cloud(now)
    yield "began", f"{before.started_at:%Y-%m-%d %H:%M:%SZ}", f"{now.started_at:%Y-%m-%d %H:%M:%SZ}"
    yield "lasted", _lasted(before), _lasted(now)
    yield "sessions", f"{before.sessions:,}", f"{now.sessions:,}"
    yield "target version", before.target_version, now.target_version
    yield "proxies looked at", f"{before.targets - before.kept:,}", f"{now.targets - now.kept:,}"
    for outcome in dict.fromkeys([*before.outcomes, *now.outcomes]):
        yield f"  {outcome}", f"{before.outcomes.get(outcome, 0):,}", f"{now.outcomes.get(outcome, 0):,}"
    yield "asked to upgrade", f"{before.asked:,}", f"{now.asked:,}"
    yield "upgrade calls", f"{before.upgrade_calls:,}", f"{now.upgrade_calls:,}"
    yield "calls", f"{before.calls:,}", f"{now.calls:,}"
    yield "throttled", f"{before.throttled:,}", f"{now.throttled:,}"
    yield from _lengths(before, now)


def _lengths(before: Side, now: Side) -> Iterator[Row]:
    if before.lengths is None and now.lengths is None:
        return
    one, other = _measured(before), _measured(now)
    titles = ("upgrades that ended well", "  median", "  nine of ten within", "  the longest")
    yield from zip(titles, one, other, strict=True)


def _measured(side: Side) -> Sequence[str]:
    found = side.lengths
    if found is None:
        return ("0", *(_UNSEEN,) * 3)
    return f"{found.upgrades:,}", spoken(found.median), spoken(found.nine_of_ten), spoken(found.most)


def reject_words(each: RejectChange) -> str:
    """To how many it was given in which run."""
    code = f" ({each.error_code})" if each.error_code else ""
    return f"{each.earlier:,} -> {each.later:,}  {SEEN[each.seen]}: {each.reason}{code}"


def whole_report(comparison: Comparison, named: str) -> str:
    """The command that shows the later run alone, with what to do next."""
    return f"orchestrator report {named} --run {comparison.later.run_id} --format text"


def _state(side: Side) -> str:
    code = f", exit code {side.exit_code}" if side.exit_code is not None else ""
    return f"{side.state}{code}"


def _cloud(side: Side) -> str:
    return "simulated" if side.simulated else "real"


def _lasted(side: Side) -> str:
    if side.ended_at is None:
        return "has not ended"
    return spoken((side.ended_at - side.started_at).total_seconds())
