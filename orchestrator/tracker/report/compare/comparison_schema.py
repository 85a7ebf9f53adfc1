"""The form of a comparison, `orchestrator.comparison/1`. `schema comparison` prints it."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from orchestrator.tracker.report.schema import Instant, Outcomes, Text

FORM: Literal["orchestrator.comparison/1"] = "orchestrator.comparison/1"

#: Of a proxy that both runs had, what they saw of its end. `not_ended`: at least one of them saw none.
ChangeKind: TypeAlias = Literal["well_before", "well_in_neither", "not_ended", "well_now", "well_in_both"]


class Lengths(Struct, frozen=True, kw_only=True):
    """How long upgrades took that ended well, from the request to the end, in seconds."""

    upgrades: Annotated[int, Meta(description="How many were measured")]
    median: float
    nine_of_ten: Annotated[float, Meta(description="Nine of ten took no longer")]
    most: float


class Side(Struct, frozen=True, kw_only=True):
    """One of the two runs."""

    run_id: str
    state: Literal["completed", "held", "unfinished"]
    exit_code: Annotated[int | None, Meta(description="Of the latest session; null while it is under way")]
    simulated: bool
    target_version: str
    plan_sha256: Annotated[str, Meta(description="Of the plan file's bytes when the run began")]
    started_at: datetime
    ended_at: Annotated[Instant, Meta(description="Null while it has not ended")]
    sessions: int
    targets: Annotated[int, Meta(description="With those that it only keeps")]
    kept: Annotated[int, Meta(description="Targets of which it only keeps what an earlier run said")]
    asked: Annotated[int, Meta(description="Targets for which it asked the cloud to upgrade them")]
    outcomes: Annotated[Outcomes, Meta(description="Of those that it looked at itself, without the kept ones")]
    calls: int
    upgrade_calls: int
    throttled: int
    lengths: Annotated[Lengths | None, Meta(description="Null when no upgrade ended well")]


class Said(Struct, frozen=True, kw_only=True):
    """What one run said of a target."""

    outcome: str
    reason: Text = None


class ProxyChange(Struct, frozen=True, kw_only=True):
    """A proxy that did not end well in both runs."""

    kind: ChangeKind
    proxy_id: str
    name: Annotated[Text, Meta(description="Of its instance and the proxy; null where it was written out")]
    earlier: Said
    later: Said


class OutcomeStep(Struct, frozen=True, kw_only=True):
    """How many proxies have one outcome in the earlier run and one in the later run."""

    kind: ChangeKind
    earlier: str
    later: str
    proxies: int


class OneSided(Struct, frozen=True, kw_only=True):
    """Proxies that one of the runs did not have."""

    outcomes: Outcomes
    proxy_ids: list[str]


class RejectChange(Struct, frozen=True, kw_only=True):
    """One reason of the cloud to refuse, in both runs."""

    seen: Annotated[Literal["new", "gone", "both"], Meta(description="Met in the later run, the earlier one, or both")]
    reason: Annotated[str, Meta(description="Its most frequent text, of the later run where it met it")]
    signature: str
    error_code: Text
    earlier: Annotated[int, Meta(description="To how many proxies it was given")]
    later: int
    remedy: Text


class CallsThen(Struct, frozen=True, kw_only=True):
    """What one run asked of a scope."""

    calls: int
    throttled: int
    rate_attained: Annotated[float | None, Meta(description="Calls per second; null before any")]


class ScopeChange(Struct, frozen=True, kw_only=True):
    """One scope in both runs; null in the one that did not have it."""

    name: str
    earlier: CallsThen | None
    later: CallsThen | None


class Comparison(Struct, frozen=True, kw_only=True):
    """Two runs of a fleet, the earlier one first."""

    schema: Annotated[Literal["orchestrator.comparison/1"], Meta(description="Form and version of this document")] = (
        FORM
    )
    name: Annotated[str, Meta(description="The fleet")]
    earlier: Side
    later: Side
    cautions: Annotated[list[str], Meta(description="What limits what can be said, in sentences")]
    both: Annotated[int, Meta(description="Proxies that both runs looked at themselves")]
    steps: Annotated[list[OutcomeStep], Meta(description="Adds up to `both`")]
    changes: Annotated[
        list[ProxyChange], Meta(description="Of these, all that did not end well in both, in plan order")
    ]
    only_later: OneSided
    only_earlier: OneSided
    rejects: Annotated[list[RejectChange], Meta(description="New ones first, then those that are gone")]
    scopes: list[ScopeChange]


def comparison_schema() -> dict[str, Any]:
    """The JSON Schema of a comparison."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Comparison of two runs of a fleet",
        **msgspec.json.schema(Comparison),
    }
