"""The rates of scopes as they are now."""

from collections.abc import Iterator, Mapping

from orchestrator.executor.scope.scope_calls import ScopeCalls


class Rates(Mapping[str, float]):
    """The rates of scopes as they are now, for `rate: auto` finds better ones."""

    def __init__(self, scopes: Mapping[str, ScopeCalls]) -> None:
        self._scopes = scopes

    def __getitem__(self, name: str) -> float:
        return self._scopes[name].lanes.pacer.nominal

    def __iter__(self) -> Iterator[str]:
        return iter(self._scopes)

    def __len__(self) -> int:
        return len(self._scopes)
