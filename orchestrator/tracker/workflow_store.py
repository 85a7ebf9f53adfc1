"""The port through which every workflow_id of a state is known, and where each was named first."""

from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol


class Teller(NamedTuple):
    """Where a workflow_id is named first: by which fleet's which run, of which target, in which of its records."""

    fleet: str
    run_id: str
    proxy_id: str
    number: int


class KnownWorkflows(Protocol):
    """Every workflow_id of every run and fleet; other processes go on writing there."""

    def known(self) -> AbstractSet[str]:
        """All of them as of now, in small letters. Asking again reads only what was written since."""

    def teller(self, workflow: str) -> Teller | None:
        """Where one of those that were known is named first; None where nothing of that is left."""
