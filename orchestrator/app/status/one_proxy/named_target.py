"""The proxy that a person means by an id, by the beginning of one, or by a name."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from orchestrator.app.status.one_proxy.unknown_target import unknown_target
from orchestrator.errors import UsageError
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.record import OutcomeKept
from orchestrator.spoken import counted
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.state_store import StoredRun

_entry = msgspec.json.Decoder(TargetReport)

#: A whole id is so long; it is looked up as it is.
_WHOLE = 36
#: The beginning of an id has at least so many characters: fewer are a slip of the finger.
_LEAST = 4
#: So many of the proxies that a word may mean are named.
_NAMED = 3


def named_target(stored: StoredRun, word: str) -> str:
    """The proxy_id of the one target of a run that a word means.

    Args:
        stored: the run.
        word: an id, at least 4 characters that one begins with, the name of a proxy, that of its instance, or both with
            a slash between them; the value of a label is such a name too.

    Raises:
        UsageError: it means none of the targets, or several.
        StateError: the run cannot be read.
    """
    if len(word) == _WHOLE:
        return word
    return the_one(list(meant(word, _targets(stored))), word, _targets(stored), f"run {stored.run_id}")


def the_one(means: Sequence[str], word: str, targets: Iterable[Target], of: str) -> str:
    """The only proxy_id that a word means.

    Args:
        means: all that it means.
        word: as a person wrote it.
        targets: among which it was looked for.
        of: whose these are, in words.

    Raises:
        UsageError: it means none, or several.
    """
    if len(means) == 1:
        return means[0]
    if not means:
        raise unknown_target(of, word, (target.proxy_id for target in targets))
    some = ", ".join(means[:_NAMED]) + (", …" if len(means) > _NAMED else "")
    raise UsageError(
        f"{word} means {counted(len(means), 'proxy', 'proxies')} of {of}: {some}",
        hint="write more of the id, or the names of instance and proxy: INSTANCE/PROXY",
    )


def _targets(stored: StoredRun) -> Iterator[Target]:
    """Those of the run, and those that keep what an earlier run said of them."""
    yield from stored.targets()
    yield from (_kept(record) for record in stored.outcomes() if isinstance(record, OutcomeKept))


def _kept(record: OutcomeKept) -> Target:
    entry = _entry.decode(record.entry)
    facts = Facts(name=entry.facts.name, proxy_name=entry.facts.proxy_name) if entry.facts else None
    return Target(
        scope=entry.scope, instance_id=entry.instance_id, proxy_id=entry.proxy_id, labels=entry.labels, facts=facts
    )


def meant(word: str, targets: Iterable[Target]) -> Iterator[str]:
    """The proxy_id of each target that a word may mean."""
    begins = word.lower() if len(word) >= _LEAST else None
    for target in targets:
        if (begins is not None and target.proxy_id.lower().startswith(begins)) or word in _names(target):
            yield target.proxy_id


def _names(target: Target) -> Iterator[str]:
    """Those of the cloud, and those that people gave: the values of its labels; each whole and between slashes."""
    for name in filter(None, (target.name, *target.labels.values())):
        yield from (name, *filter(None, name.split("/")))
