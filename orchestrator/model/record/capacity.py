"""Addresses of subnets: the record of what one has left, where it stands by that, and what upgrades there need."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import msgspec

from orchestrator.model.plan.target import Target
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record_base import Base
from orchestrator.model.record.target_record import AnswerSeen
from orchestrator.pattern import pattern

#: A proxy has two nodes at least.
FEWEST_NODES = 2

#: An upgrade that began so long ago has surely taken its addresses; the cloud does not say when it does.
TAKES_WITHIN_S = 300.0

#: How the cloud says how many addresses an upgrade needs (DBS.05000020).
_NEEDED = pattern(r"needed:? *([0-9]{1,4})\b", re.IGNORECASE)


class SubnetRead(Base, frozen=True, kw_only=True):
    """How many addresses a subnet has left, or why that is not known.

    Attributes:
        free: None when it was not told.
        why: it was not told.
        denied: the scope may not ask, so it does not ask again in this session.
    """

    step: str = "capacity"
    scope: str
    subnet_id: str
    free: int | None = None
    why: str | None = None
    denied: bool = False


class SubnetStatus(msgspec.Struct, frozen=True):
    """Where a subnet stands by its latest reading.

    Attributes:
        free: addresses that were left; None when that was never told.
        seen: targets that were open there then.
        bears: so many addresses upgrades of ours may surely need at once, as long as no others take any.
        idle_since: since when each reading found none of ours; None when one was open.
        read: when it was read.
    """

    free: int | None = None
    seen: frozenset[str] = frozenset()
    bears: int = 0
    idle_since: Moment | None = None
    read: Moment | None = None


def subnet_status(
    before: SubnetStatus, record: SubnetRead, *, needs: Mapping[str, int], young: AbstractSet[str], now: Moment
) -> SubnetStatus:
    """Where a subnet stands by a reading.

    Args:
        before: where it stood.
        record: the reading.
        needs: how many addresses each target needs that is open there.
        young: those of them that may not have taken theirs yet, so that they may be among the free ones.
        now: when it was read.
    """
    if record.free is None:
        return before
    surely = record.free + sum(needed for key, needed in needs.items() if key not in young)
    idle_since = None if needs else before.idle_since or now
    return SubnetStatus(record.free, frozenset(needs), max(surely, before.bears), idle_since, now)


def subnet_of(target: Target) -> str | None:
    """The subnet of a target, where discovery learned it."""
    return target.facts.subnet if target.facts is not None else None


def addresses_needed(answer: AnswerSeen) -> int | None:
    """How many addresses an upgrade needs, by an answer that refuses it for too few."""
    texts = [answer.error_msg, *(entry.error_message for entry in answer.update_result)]
    numbers = [int(found[1]) for text in texts if text and "subnet" in text.lower() and (found := _NEEDED.search(text))]
    return max(numbers, default=None)
