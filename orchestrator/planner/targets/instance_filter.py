"""Which instances a `discover` entry means: what the cloud is asked to leave out, and what is left out here. Pure.

The cloud's list takes `id`, `name`, `vpc_id` and `tags` (ListGaussMySqlInstances): a name is meant exactly, or with a
`*` before it as a part of the name; tags must all be there. An enterprise project and other wildcards it does not
take. What it is asked to leave out is looked at here again all the same: a filter that a service ignores must not
bring upgrades to instances that nobody meant.
"""

from collections.abc import Iterator

from orchestrator.model.plan.plan import InstanceFilter
from orchestrator.model.plan.selection import like
from orchestrator.planner.targets.instance_row import Row, tags_of, text_of


class Unanswered(LookupError):
    """A filter asks for something that the cloud's row does not hold, so neither yes nor no would be right."""


def server_filters(wanted: InstanceFilter) -> dict[str, str]:
    """The part of a filter that the cloud can be asked for, as the query of its list."""
    asked = {
        "name": _asked_name(wanted.name) if wanted.name else "",
        "vpc_id": wanted.vpc_id or "",
        "tags": ",".join(f"{key}={value}" for key, value in wanted.tags.items() if _can_be_asked(key, value)),
    }
    return {key: value for key, value in asked.items() if value}


def passes(wanted: InstanceFilter, row: Row) -> bool:
    """Whether an instance is meant.

    Raises:
        Unanswered: everything else holds, and the row does not say what a condition asks for.
    """
    unknown = []
    for fact, holds in _conditions(wanted, row):
        if holds is False:
            return False
        if holds is None:
            unknown.append(fact)
    if unknown:
        raise Unanswered(" and ".join(unknown))
    return True


def _conditions(wanted: InstanceFilter, row: Row) -> Iterator[tuple[str, bool | None]]:
    """Each condition that is set, and whether it holds; None when the row does not say."""
    name, vpc_id, tags = text_of(row, "name"), text_of(row, "vpc_id"), tags_of(row)
    enterprise = text_of(row, "enterprise_project_id")
    if wanted.ids:
        yield "id", text_of(row, "id") in wanted.ids
    if wanted.name:
        yield "name", None if name is None else _name_holds(wanted.name, name)
    if wanted.vpc_id:
        yield "vpc_id", None if vpc_id is None else vpc_id == wanted.vpc_id
    if wanted.tags:
        yield "tags", None if tags is None else wanted.tags.items() <= tags.items()
    if wanted.enterprise_project_id:
        yield "enterprise_project_id", None if enterprise is None else enterprise == wanted.enterprise_project_id


def _name_holds(pattern: str, name: str) -> bool:
    """`*orders` is a part of the name, as in the cloud's own search; other wildcards stand for any characters."""
    return like(f"{pattern}*" if _is_part(pattern) else pattern, name)


def _is_part(pattern: str) -> bool:
    return pattern.startswith("*") and "*" not in pattern[1:]


def _asked_name(pattern: str) -> str:
    """What the cloud can search for: the name itself, or its longest part between two wildcards."""
    if "*" not in pattern:
        return pattern
    part = max(pattern.split("*"), key=len)
    return f"*{part}" if part else ""


def _can_be_asked(key: str, value: str) -> bool:
    """Whether a tag can be written as `key=value` among others without being taken for something else."""
    return bool(value) and not {",", "="} & {*key, *value}
