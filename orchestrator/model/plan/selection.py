"""Which targets a key of a plan means, and whether it means a target."""

from msgspec import Struct

from orchestrator.model.plan.target import Target


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


class MissingFact(LookupError):
    """The selector asks for something that is not known of the target, so neither yes nor no would be right."""

    def __init__(self, fact: str, target: Target) -> None:
        verb, it = ("are", "them") if fact == "tags" else ("is", "it")
        super().__init__(f"the {fact} of proxy {target.proxy_id} {verb} not known; only discovered targets have {it}")
        self.fact = fact
        self.target = target


def matches(selector: Selector, target: Target) -> bool:
    """Whether all conditions of the selector hold. A label that the target does not have does not match.

    Raises:
        MissingFact: everything else matches, and `name` or `tags` is asked for, which was not learned of this target.
    """
    return (
        (selector.scope is None or selector.scope == target.scope)
        and (selector.instance_id is None or selector.instance_id == target.instance_id)
        and (selector.proxy_id is None or selector.proxy_id == target.proxy_id)
        and _holds_all(target.labels, selector.labels)
        and (selector.name is None or _name_matches(selector.name, target))
        and (not selector.tags or _tags_match(selector.tags, target))
    )


def like(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern, in which each `*` stands for any number of characters, also none."""
    head, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, tail = rest
    if not text.startswith(head):
        return False
    position = len(head)
    for part in middle:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return text.endswith(tail) and len(text) - len(tail) >= position


def _name_matches(pattern: str, target: Target) -> bool:
    if target.facts is None or target.facts.name is None:
        raise MissingFact("name", target)
    return like(pattern, target.facts.name)


def _tags_match(tags: dict[str, str], target: Target) -> bool:
    if target.facts is None or target.facts.tags is None:
        raise MissingFact("tags", target)
    return _holds_all(target.facts.tags, tags)


def _holds_all(present: dict[str, str], wanted: dict[str, str]) -> bool:
    return all(present.get(name) == value for name, value in wanted.items())
