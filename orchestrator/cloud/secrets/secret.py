"""Texts that must never be shown: not in a log, a message, a traceback or a report."""

from collections.abc import Iterator, Mapping
from typing import NoReturn

HIDDEN = "***"


class Secret:
    """Holds a secret; only `reveal` gives it back. Equal to another that holds the same."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, to be put on the wire and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class HiddenEnvironment(Mapping[str, str]):
    """A live view of the environment that shows none of its values: what holds it may be printed."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def __repr__(self) -> str:
        return f"HiddenEnvironment({HIDDEN})"
