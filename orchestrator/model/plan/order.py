"""The order of the targets within a wave: scattered over the fleet, yet the same in every process and every release."""

from hashlib import blake2b


def order_key(fleet: str, proxy_id: str) -> bytes:
    """Eight bytes that place a proxy among the others of its fleet; smaller comes first.

    A hash (BLAKE2b, RFC 7693), so that neighbours in the plan, which often share an application or a host, do not
    become neighbours in time. Runs that are under way depend on it: it must never change.
    """
    return blake2b(f"{fleet}\n{proxy_id}".encode(), digest_size=8).digest()
