"""From the rows of instances to targets: what is still to be asked about them, and what counts once. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from orchestrator.model.plan.target import Facts, Target
from orchestrator.planner.targets.instance_row import ListedProxy, Row, proxies_in_detail, tags_of, text_of

#: Most instances that one question for details may name (ListGaussMySqlInstanceDetailInfoUnifyStatus).
DETAILS_PER_CALL = 20


class Instance(Struct, frozen=True):
    """An instance whose proxies are known; `row` is all that was read of it."""

    row: Row
    proxies: tuple[ListedProxy, ...]


def batches(instance_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in as few questions for details as possible."""
    for start in range(0, len(instance_ids), DETAILS_PER_CALL):
        yield instance_ids[start : start + DETAILS_PER_CALL]


def learnt(asked: Sequence[str], listed: Mapping[str, Row], details: Iterable[Row]) -> dict[str, Instance]:
    """The instances whose proxies an answer settles; for every other that was asked for, its own list must be read.

    Args:
        asked: instance ids of the question.
        listed: what the list of instances said of them; nothing where it was not read.
        details: rows of the answer.
    """
    found: dict[str, Instance] = {}
    for detail in details:
        instance_id = text_of(detail, "id")
        if instance_id is None or instance_id not in asked:
            continue
        row = {**listed.get(instance_id, {}), **detail}
        proxies = proxies_in_detail(row)
        if proxies is not None:
            found[instance_id] = Instance(row, proxies)
    return found


def targets_of(scope: str, instance_id: str, instance: Instance) -> Iterator[Target]:
    """The targets of an instance, with what discovery knows of them."""
    row = instance.row
    for proxy in instance.proxies:
        yield Target(
            scope=scope,
            instance_id=instance_id,
            proxy_id=proxy.proxy_id,
            facts=Facts(
                name=text_of(row, "name"),
                proxy_name=proxy.name,
                tags=tags_of(row),
                instance_status=text_of(row, "status"),
                maintenance_window=text_of(row, "maintenance_window"),
                subnet=proxy.subnet or text_of(row, "subnet_id"),
                nodes=proxy.nodes,
            ),
        )


def counted_once(targets: Iterable[Target]) -> list[Target]:
    """The targets without those that an earlier entry has found too.

    The same proxy id on two instances is no such case: it stays, and is refused as listed twice.
    """
    first: dict[tuple[str, str], Target] = {}
    for target in targets:
        first.setdefault((target.instance_id, target.proxy_id), target)
    return list(first.values())
