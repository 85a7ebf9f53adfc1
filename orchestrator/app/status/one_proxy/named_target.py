"""The proxy that a person means by an id, by the beginning of one, or by a name."""

from collections.abc import Iterable, Iterator

from orchestrator.app.status.one_proxy.unknown_target import unknown_target
from orchestrator.errors import UsageError
from orchestrator.model.target import Target
from orchestrator.spoken import counted
from orchestrator.tracker.state_store import StoredRun

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
            a slash between them.

    Raises:
        UsageError: it means none of the targets, or several.
        StateError: the run cannot be read.
    """
    if len(word) == _WHOLE:
        return word
    means = list(meant(word, stored.targets()))
    if len(means) == 1:
        return means[0]
    if not means:
        raise unknown_target(stored.run_id, word, (target.proxy_id for target in stored.targets()))
    some = ", ".join(means[:_NAMED]) + (", …" if len(means) > _NAMED else "")
    raise UsageError(
        f"{word} means {counted(len(means), 'proxy', 'proxies')} of run {stored.run_id}: {some}",
        hint="write more of the id, or the names of instance and proxy: INSTANCE/PROXY",
    )


def meant(word: str, targets: Iterable[Target]) -> Iterator[str]:
    """The proxy_id of each target that a word may mean."""
    begins = word.lower() if len(word) >= _LEAST else None
    for target in targets:
        if (begins is not None and target.proxy_id.lower().startswith(begins)) or word in _names(target):
            yield target.proxy_id


def _names(target: Target) -> Iterator[str]:
    facts = target.facts
    if facts is not None:
        names = [name for name in (facts.name, facts.proxy_name) if name]
        yield from (*names, "/".join(names))
