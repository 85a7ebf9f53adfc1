"""The rates of scopes as they are now."""

from collections.abc import Callable, Iterator, Mapping

from orchestrator.executor.scope.scope_calls import ScopeCalls


def _unserved(name: str) -> float:
    raise KeyError(name)


class Rates(Mapping[str, float]):
    """The rates of scopes as they are now, for `rate: auto` finds better ones.

    Args:
        scopes: those that this host serves.
        elsewhere: the rate of one that another host serves.
    """

    def __init__(self, scopes: Mapping[str, ScopeCalls], elsewhere: Callable[[str], float] = _unserved) -> None:
        self._scopes = scopes
        self._elsewhere = elsewhere

    def __getitem__(self, name: str) -> float:
        calls = self._scopes.get(name)
        return self._elsewhere(name) if calls is None else calls.lanes.pacer.nominal

    def __iter__(self) -> Iterator[str]:
        return iter(self._scopes)

    def __len__(self) -> int:
        return len(self._scopes)
