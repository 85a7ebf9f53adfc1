"""One proxy to upgrade."""

from collections.abc import Mapping
from itertools import islice
from sys import intern

from msgspec import Struct
from msgspec.structs import force_setattr

#: An inventory may have many columns, and a line has little room.
_TOLD_LABELS = 2
_NO_LABELS: dict[str, str] = {}


class Facts(Struct, frozen=True, gc=False, kw_only=True):
    """What discovery learned of a target's instance and proxy; None where it was not learned.

    Attributes:
        subnet: of the proxy where its own row was read, else of the instance.
        nodes: of the proxy; only its own row tells it.
    """

    name: str | None = None
    proxy_name: str | None = None
    tags: dict[str, str] | None = None
    instance_status: str | None = None
    maintenance_window: str | None = None
    subnet: str | None = None
    nodes: int | None = None


class Target(Struct, frozen=True, gc=False, kw_only=True):
    """One proxy to upgrade. A million of these fit in memory, so it holds no cycle and is left out of collection.

    Attributes:
        scope: name of the scope that the proxy lives in.
        instance_id: 36 characters ending in `in07`.
        proxy_id: 36 characters ending in `po01`; unique in a plan, and the key of the target everywhere.
        source_version: the only version from which this target may be upgraded, when the plan names one.
        labels: further columns of an inventory, or `labels` of the plan.
        facts: what discovery learned; None for targets that were written out.
    """

    scope: str
    instance_id: str
    proxy_id: str
    source_version: str | None = None
    labels: dict[str, str] = {}
    facts: Facts | None = None

    def __post_init__(self) -> None:
        """Most are of few scopes and have no labels: a text and a dict of its own would be a third of a target."""
        force_setattr(self, "scope", intern(self.scope))
        if not self.labels:
            force_setattr(self, "labels", _NO_LABELS)

    @property
    def name(self) -> str:
        """Its instance and itself as people call them: `orders/proxy-1`; empty where discovery learned no name."""
        return slashed(self.facts.name, self.facts.proxy_name) if self.facts else ""

    @property
    def called(self) -> str:
        """What people know it by, to stand beside its id; see `called`."""
        return called(self.name, self.labels)


def called(name: str, labels: Mapping[str, str]) -> str:
    """What people know a proxy by: its name, else the first of its labels, which they chose; empty without both."""
    return name or labels_words(dict(islice(labels.items(), _TOLD_LABELS)))


def labels_words(labels: Mapping[str, str]) -> str:
    """Labels as one reads them: `app=billing tier=gold`."""
    return " ".join(f"{name}={value}" for name, value in labels.items())


def slashed(instance: str | None, proxy: str | None) -> str:
    """The names of an instance and one of its proxies, as far as they are known."""
    return "/".join(filter(None, (instance, proxy)))
