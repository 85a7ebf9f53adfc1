"""A proxy that a run does not know, and the one that was probably meant."""

from collections.abc import Iterable

from orchestrator.errors import UsageError
from orchestrator.spoken import nearest

#: An unknown id is held against so many, which takes less than a second.
_COMPARED = 10_000


def unknown_target(of: str, proxy_id: str, known: Iterable[str]) -> UsageError:
    """The mistake, with the proxy that was probably meant, or where the ids stand.

    Args:
        of: the run that was asked, or the plan, in words.
        proxy_id: as a person wrote it.
        known: the proxy ids that it has.
    """
    ids = list(known)
    begun = (each for each in ids if proxy_id and each.startswith(proxy_id))
    meant = next(begun, None) or nearest(proxy_id, ids[:_COMPARED])
    hint = f"did you mean {meant}?" if meant else "orchestrator report PLAN --format text lists its targets"
    return UsageError(f"{proxy_id} is no target of {of}", hint=hint)
