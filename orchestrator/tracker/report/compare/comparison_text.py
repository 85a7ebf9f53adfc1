"""A comparison for people at a terminal."""

from collections.abc import Iterator, Sequence

from orchestrator.plain import plain
from orchestrator.tracker.report.behind import NAMED
from orchestrator.tracker.report.compare.compare import listed
from orchestrator.tracker.report.compare.comparison_schema import (
    CallsThen,
    Comparison,
    OneSided,
    OutcomeStep,
    ProxyChange,
    Said,
    ScopeChange,
)
from orchestrator.tracker.report.compare.comparison_words import (
    TITLES,
    Row,
    reject_words,
    rows,
    verdict,
    whole_report,
    whose,
    why,
)

_MARGIN = "  "


def comparison_chunks(comparison: Comparison, named: str) -> Iterator[bytes]:
    """The comparison as bytes that are safe on a terminal; `named`: the plan as commands name it."""
    return (plain(line).encode() + b"\n" for line in comparison_lines(comparison, named))


def comparison_lines(comparison: Comparison, named: str) -> Iterator[str]:
    """The comparison, line by line, without line ends."""
    yield f"{comparison.name}: {verdict(comparison)}"
    yield whose(comparison)
    yield from (f"CAUTION: {caution}" for caution in comparison.cautions)
    yield ""
    yield from _table([("", "earlier", "later"), *rows(comparison)])
    for kind, steps, changes in listed(comparison):
        yield from ("", TITLES[kind], *map(_step, steps), *_reasons(changes), *_named(changes))
    yield from _one_sided("Only the later run had", comparison.only_later)
    yield from _one_sided("Only the earlier run had", comparison.only_earlier)
    if comparison.rejects:
        asked = f"{comparison.earlier.asked:,} -> {comparison.later.asked:,}"
        yield from ("", f"Reasons of the cloud to refuse, to how many proxies; {asked} were asked for")
        yield from (f"{_MARGIN}{reject_words(each)}" for each in comparison.rejects)
    yield from ("", "Calls by scope", *map(_scope, comparison.scopes))
    yield from ("", f"the later run, with what to do next: {whole_report(comparison, named)}")


def _table(told: Sequence[Row]) -> Iterator[str]:
    titles, before = (max(len(row[column]) for row in told) for column in (0, 1))
    yield from (f"{_MARGIN}{row[0]:<{titles}}   {row[1]:<{before}}   {row[2]}" for row in told)


def _step(step: OutcomeStep) -> str:
    return f"{_MARGIN}{step.proxies:>7,}  {step.earlier} -> {step.later}"


def _reasons(changes: Sequence[ProxyChange]) -> Iterator[str]:
    yield from (f"{_MARGIN}{number:>7,} x {reason}" for number, reason in why(changes))


def _named(changes: Sequence[ProxyChange]) -> Iterator[str]:
    for each in changes[:NAMED]:
        name = f" {each.name}" if each.name else ""
        yield f"{_MARGIN * 2}{each.proxy_id}{name}  {_said(each.earlier)} -> {_said(each.later)}"
    if len(changes) > NAMED:
        yield f"{_MARGIN * 2}and {len(changes) - NAMED:,} more, in the JSON form"


def _said(said: Said) -> str:
    return f"{said.outcome} ({said.reason})" if said.reason else said.outcome


def _one_sided(title: str, one: OneSided) -> Iterator[str]:
    if one.proxy_ids:
        yield ""
        yield f"{title}: {', '.join(f'{count:,} {outcome}' for outcome, count in one.outcomes.items())}"
        yield from (f"{_MARGIN * 2}{proxy_id}" for proxy_id in one.proxy_ids[:NAMED])
    if len(one.proxy_ids) > NAMED:
        yield f"{_MARGIN * 2}and {len(one.proxy_ids) - NAMED:,} more, in the JSON form"


def _scope(scope: ScopeChange) -> str:
    return f"{_MARGIN}{scope.name}: {_calls(scope.earlier)} -> {_calls(scope.later)}"


def _calls(made: CallsThen | None) -> str:
    if made is None:
        return "not in that run"
    rate = f", {made.rate_attained:g}/s" if made.rate_attained is not None else ""
    return f"{made.calls:,}{rate}, {made.throttled:,} throttled"
