"""A preview as it is saved to be approved, and how it differs from one that is made now. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from msgspec import Struct

from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.eligibility import LeaveOutReason
from orchestrator.planner.preview.preview_values import Preview

#: Facts that change by themselves, or are known or not by which list was read, and decide nothing.
_FLEETING = frozenset({"instance_status", "subnet", "nodes"})

#: What of a target is compared; its facts are, one by one.
_FIXED = tuple(name for name in Target.__struct_fields__ if name not in ("proxy_id", "facts"))
_FACTS = tuple(name for name in Facts.__struct_fields__ if name not in _FLEETING)

_SKIPPED = frozenset(get_args(LeaveOutReason)) - {"current"}


class SavedPlan(Struct, frozen=True, kw_only=True):
    """The plan file: where it is, the SHA-256 of its bytes, and the text that they are."""

    path: str
    sha256: str
    text: str


class SavedTarget(Struct, frozen=True, kw_only=True, gc=False):
    """What becomes of a target.

    Attributes:
        wave: in which it is to be upgraded; None when it is not.
        version: that it runs, if it is to be upgraded.
        left_out: why it is not to be upgraded, as outcome, reason and words; None when it is, or is not in the run.
    """

    target: Target
    wave: str | None = None
    version: str | None = None
    left_out: tuple[str, str, str] | None = None

    @property
    def fate(self) -> str:
        """The same in words."""
        if self.left_out is not None:
            outcome, reason, why = self.left_out
            return f"{outcome}: {why}" if reason in (outcome, "current") else f"{outcome}: {reason}, {why}"
        return "not in the run" if self.wave is None else f"to be upgraded in wave {self.wave}"

    @property
    def skipped(self) -> tuple[str, str] | None:
        """Reason and words, when a look at its version says that it is not to be upgraded."""
        if self.left_out is None or self.left_out[0] != Outcome.SKIPPED.value or self.left_out[1] not in _SKIPPED:
            return None
        return self.left_out[1:]


class SavedPreview(Struct, frozen=True, kw_only=True):
    """The whole file.

    Attributes:
        made_by: user and host.
        simulated: whether its cloud is a simulated one.
        set: keys of the plan that options have set.
        new: whether the unfinished run is to be ended.
        only_outcome: last outcomes of the targets that are asked for; None for all.
        targets: all of the plan in its order, and those of an unfinished run.
    """

    schema: Literal["orchestrator.saved-preview/1"] = "orchestrator.saved-preview/1"
    made_at: datetime
    made_by: str
    orchestrator_version: str
    simulated: bool
    plan: SavedPlan
    set: dict[str, str]
    new: bool
    only_outcome: tuple[Outcome, ...] | None
    targets: tuple[SavedTarget, ...]


def saved_targets(preview: Preview, targets: Sequence[Target]) -> tuple[SavedTarget, ...]:
    """What a preview says of each target, in the order of `targets`."""
    said: dict[str, SavedTarget] = {}
    for wave in preview.waves:
        for step in wave.groups:
            for target in step.targets:
                said[target.proxy_id] = SavedTarget(target=target, wave=wave.name, version=step.source_version)
    for group in preview.left_out:
        for target in group.targets:
            left_out = (group.outcome, group.reason, group.why)
            said[target.proxy_id] = SavedTarget(target=target, left_out=left_out)
    return tuple(said.get(target.proxy_id) or SavedTarget(target=target) for target in targets)


def differences(saved: Sequence[SavedTarget], now: Sequence[SavedTarget]) -> Iterator[str]:
    """What differs, a sentence for each; nothing when a start now does exactly what was saved."""
    there = {each.target.proxy_id: each for each in now}
    for before in saved:
        after = there.pop(before.target.proxy_id, None)
        if after is None:
            yield f"proxy {before.target.proxy_id}: was {before.fate}, and is no target any more"
        else:
            yield from (f"proxy {before.target.proxy_id}: {change}" for change in _changes(before, after))
    for new in there.values():
        yield f"proxy {new.target.proxy_id}: is new, and is {new.fate}"


def _changes(before: SavedTarget, after: SavedTarget) -> Iterator[str]:
    if before.fate != after.fate:
        yield f"was {before.fate}, is {after.fate}"
    elif before.version != after.version:
        yield f"ran {before.version}, runs {after.version}"
    old, new = _compared(before.target), _compared(after.target)
    yield from (f"{name} was {old[name]}, is {new[name]}" for name in old if old[name] != new[name])


def _compared(target: Target) -> Mapping[str, Any]:
    facts = target.facts or Facts()
    fixed = {name: getattr(target, name) for name in _FIXED}
    return fixed | {name: getattr(facts, name) for name in _FACTS}
