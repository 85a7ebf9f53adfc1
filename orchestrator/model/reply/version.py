"""Kernel versions of proxies: dotted integers such as `2.24.03.000`, compared as tuples, kept as text for the API."""

from functools import lru_cache

from orchestrator.pattern import pattern

_FORM = pattern(r"[0-9]{1,9}(\.[0-9]{1,9}){0,7}")


def is_version(text: str) -> bool:
    """Whether `text` is dotted integers."""
    return _integers(text) is not None


def version_key(text: str) -> tuple[int, ...]:
    """The integers of a version, for comparing as a tuple: `2.24.03.000` is `(2, 24, 3, 0)`.

    Raises:
        ValueError: `text` is not a version.
    """
    key = _integers(text)
    if key is None:
        raise ValueError(f"not a version: {text!r}")
    return key


@lru_cache(maxsize=1024)  # few are there, and each target asks some ten times: a tenth of the time
def _integers(text: str) -> tuple[int, ...] | None:
    return tuple(map(int, text.split("."))) if _FORM.fullmatch(text) else None


def same_version(one: str, other: str) -> bool:
    """Whether both texts name the same version; texts that are no versions are compared as they are."""
    if is_version(one) and is_version(other):
        return version_key(one) == version_key(other)
    return one == other


def at_least(version: str, wanted: str) -> bool:
    """Whether `version` is `wanted` or newer; a text that is no version is never newer, only equal to itself."""
    if is_version(version) and is_version(wanted):
        return version_key(version) >= version_key(wanted)
    return version == wanted


def is_short_for(text: str, version: str) -> bool:
    """Whether `text` is the version without zeros at its end, as 2.24.3 of 2.24.03.000: another name to the cloud."""
    if not (is_version(text) and is_version(version)):
        return False
    short, long = version_key(text), version_key(version)
    return len(short) < len(long) and long[: len(short)] == short and not any(long[len(short) :])
