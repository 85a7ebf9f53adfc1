"""Which targets a key of a plan means."""

from msgspec import Struct


class Selector(Struct, frozen=True, kw_only=True):
    """Which targets an `exclude` entry or a wave's `select` means; all conditions that are set must hold.

    `name` is the instance's name, with `*` wildcards, a fact that only discovered targets have, as are `tags`.
    """

    scope: str | None = None
    instance_id: str | None = None
    proxy_id: str | None = None
    name: str | None = None
    labels: dict[str, str] = {}
    tags: dict[str, str] = {}
