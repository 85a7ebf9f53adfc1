"""The order of the targets within a wave: scattered over the fleet, yet the same in every process and every release."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b


def order_key(fleet: str, proxy_id: str) -> bytes:
    """Eight bytes that place a proxy among the others of its fleet; smaller comes first.

    A hash (BLAKE2b, RFC 7693), so that neighbours in the plan, which often share an application or a host, do not
    become neighbours in time. Runs that are under way depend on it: it must never change.
    """
    return blake2b(f"{fleet}\n{proxy_id}".encode(), digest_size=8).digest()


def draw_order(fleet: str, proxy_ids: Iterable[str]) -> Sequence[int]:
    """In which order waves draw the targets of a fleet: their places in plan order."""
    return by_keys([order_key(fleet, proxy_id) for proxy_id in proxy_ids])


def by_keys(keys: Sequence[bytes]) -> Sequence[int]:
    """The same by the targets' keys, which stand in plan order; of equal ones the first comes first."""
    return sorted(range(len(keys)), key=keys.__getitem__)
