"""A proxy that a run does not know, and the one that was probably meant."""

from collections.abc import Iterable

from orchestrator.errors import UsageError
from orchestrator.spoken import nearest

#: An unknown id is held against so many, which takes less than a second.
_COMPARED = 10_000


def unknown_target(run_id: str, proxy_id: str, known: Iterable[str]) -> UsageError:
    """The mistake, with the proxy that was probably meant, or where the ids stand.

    Args:
        run_id: of the run that was asked.
        proxy_id: as a person wrote it.
        known: proxy ids of the run.
    """
    ids = list(known)
    begun = (each for each in ids if proxy_id and each.startswith(proxy_id))
    meant = next(begun, None) or nearest(proxy_id, ids[:_COMPARED])
    hint = f"did you mean {meant}?" if meant else "orchestrator report PLAN --format text lists its targets"
    return UsageError(f"{proxy_id} is no target of run {run_id}", hint=hint)
