"""The form of a report, `orchestrator.report/1`: every key in its order, with what it means. `schema report` prints it.

Instants are UTC with a `Z`. Null means that it was not seen, or does not apply; nothing is ever guessed.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.model.plan.person import person
from orchestrator.model.plan.target import called
from orchestrator.model.record.record import HoldCause
from orchestrator.model.run.status import ScopeState
from orchestrator.tracker.report.parts.capacity_form import CapacityReport
from orchestrator.tracker.report.parts.changed_limits import LimitsReport
from orchestrator.tracker.report.parts.gate_form import GateReport
from orchestrator.tracker.report.parts.host_form import HostReport
from orchestrator.tracker.report.parts.impact_form import ImpactReport, ImpactsReport
from orchestrator.tracker.report.parts.in_common import Place
from orchestrator.tracker.report.parts.people import ActReport
from orchestrator.tracker.report.parts.upgrade import AttemptReport, EarlierReport, FactsReport, JobReport

FORM: Literal["orchestrator.report/1"] = "orchestrator.report/1"

Outcomes: TypeAlias = Annotated[
    dict[str, int],
    Meta(description="How many targets have each outcome; in an unfinished run also how many stand where. Adds up."),
]
NotRead: TypeAlias = Annotated[
    dict[str, int],
    Meta(description="How many ended well, and were not read since: as accepted, completed, or settled by a person"),
]
Text: TypeAlias = str | None
Instant: TypeAlias = datetime | None


class HoldGroup(Struct, frozen=True, kw_only=True):
    """Targets that caused a hold for one reason."""

    reason: Annotated[Text, Meta(description="Without the ids in it; null when none is known any more")]
    proxy_ids: list[str]


class HoldReport(Struct, frozen=True, kw_only=True):
    """Why nothing starts until `release`."""

    reason: Annotated[str, Meta(description="One sentence for people")]
    cause: Annotated[HoldCause, Meta(description="What set the hold")]
    at: Annotated[datetime, Meta(description="Since when")]
    by: Annotated[Text, Meta(description="The person who set it; null when the run held itself")]
    host: Annotated[Text, Meta(description="From where that person did; null where it was not recorded")] = None
    note: Annotated[Text, Meta(description="That person's note")]
    wave: Annotated[Text, Meta(description="The wave it is about; null for the whole fleet or a scope")]
    scope: Annotated[Text, Meta(description="The scope whose budget is used up; null for the whole fleet or a wave")]
    proxy_ids: Annotated[list[str], Meta(description="The targets that caused it, root causes first")]
    causes: Annotated[
        list[HoldGroup], Meta(description="The same targets, by reason; the one that struck first before")
    ]

    @property
    def who(self) -> str | None:
        """User and host; None when the run held itself."""
        return None if self.by is None else person(self.by, self.host or "")


class RunReport(Struct, frozen=True, kw_only=True):
    """The run as a whole."""

    run_id: Annotated[str, Meta(description="Sorts by time")]
    name: Annotated[str, Meta(description="The fleet")]
    state: Annotated[
        Literal["completed", "held", "unfinished"],
        Meta(description="completed: no target is waiting or open; held: nothing starts until a release"),
    ]
    hold: Annotated[HoldReport | None, Meta(description="The present hold; null when there is none")]
    exit_code: Annotated[int | None, Meta(description="Of the latest session; null while it is under way")]
    simulated: Annotated[bool, Meta(description="Whether the cloud was the simulated one")]
    plan_sha256: Annotated[str, Meta(description="Of the plan file's bytes when the run began")]
    target_version: Annotated[str, Meta(description="The kernel version that every target is to have")]
    started_at: Annotated[datetime, Meta(description="When the run began")]
    ended_at: Annotated[Instant, Meta(description="When the run ended; null while it has not")]
    sessions: Annotated[int, Meta(description="How many processes have worked on it")]
    orchestrator_version: Annotated[str, Meta(description="Of the latest session")]
    errors: Annotated[list[str], Meta(description="Bugs in the latest session, with their place, which end it with 70")]
    warnings: Annotated[list[str], Meta(description="What failed beside the targets in it, and hides nothing else")]
    host_errors: Annotated[
        list[str] | UnsetType,
        Meta(
            description="What the machine did not give to it, with what to do, which ends it with 8; absent as a rule"
        ),
    ] = UNSET
    people: Annotated[list[ActReport], Meta(description="What persons did, in order: sessions and commands")] = []
    as_of: Annotated[Instant, Meta(description="Instant of the latest record: what came later is not in here")] = None
    hosts: Annotated[list[HostReport], Meta(description="Those that worked on it, in the order they joined")] = []


class Totals(Struct, frozen=True, kw_only=True):
    """Counts over the whole run."""

    targets: Annotated[int, Meta(description="Number of targets")]
    outcomes: Outcomes
    not_read: NotRead = {}
    calls: Annotated[int, Meta(description="HTTP requests of any kind")]
    upgrade_calls: Annotated[int, Meta(description="Attempts: upgrade-version calls that were sent or may have been")]
    throttled: Annotated[int, Meta(description="Requests that the cloud refused as one too many")]
    calls_at_least: Annotated[
        bool | UnsetType,
        Meta(description="True: more may have been made, here and by scope, as a session was killed or is under way"),
    ] = UNSET


class RejectReason(Struct, frozen=True, kw_only=True):
    """One reason for which the cloud refused upgrades: texts that differ only in numbers, ids and addresses are one."""

    reason: Annotated[str, Meta(description="Its most frequent text, word for word: of a REJECT or a refusing error")]
    signature: Annotated[str, Meta(description="What its texts have in common: numbers, ids and addresses are #")]
    reasons: Annotated[list[str], Meta(description="All its texts, word for word, the most frequent first")]
    error_code: Annotated[Text, Meta(description="Code of the refusing error; null for a REJECT")]
    count: Annotated[int, Meta(description="How many times it was given")]
    proxy_ids: Annotated[list[str], Meta(description="To which targets, in plan order")]
    upgraded: Annotated[int, Meta(description="How many of these targets were upgraded all the same, and seen so")] = 0
    outcomes: Annotated[
        dict[str, int], Meta(description="How many of these targets have which outcome, or stand where")
    ] = {}
    first_seen: Annotated[Instant, Meta(description="When an answer said so first in this run; null without one")] = (
        None
    )
    met_before: Annotated[bool, Meta(description="Whether an earlier run of the fleet met it")] = False
    remedy: Annotated[Text, Meta(description="What to do about it; null where only a person can tell")] = None
    where: Annotated[
        dict[Place, dict[str, int]],
        Meta(description="How many of these targets are where, as far as it is known: each value with its number"),
    ] = {}
    in_common: Annotated[
        list[str],
        Meta(description="What these targets have in common and others have not; chance does less than once in 1,000"),
    ] = []


WaveState: TypeAlias = Literal["waiting", "open", "soaking", "held", "done"]


class WaveReport(Struct, frozen=True, kw_only=True):
    """One wave."""

    name: str
    targets: Annotated[int, Meta(description="Targets that the wave has drawn so far")]
    state: WaveState
    started_at: Annotated[Instant, Meta(description="When it opened")]
    ended_at: Annotated[Instant, Meta(description="When it was settled, soaked and verified once more")]
    outcomes: Outcomes


class ScopeReport(Struct, frozen=True, kw_only=True):
    """One scope."""

    name: str
    region: Text
    project_id: Text
    calls: Annotated[int, Meta(description="HTTP requests of any kind")]
    rate_limit: Annotated[float | None, Meta(description="Calls per second that were allowed; null when not known")]
    rate_attained: Annotated[float | None, Meta(description="Calls per second that were made; null before any")]
    throttled: Annotated[int, Meta(description="Requests that the cloud refused as one too many")]
    state: Annotated[ScopeState, Meta(description="Whether it can be used, as of the latest record")]
    reason: Annotated[Text, Meta(description="Why it is not open; null while it is")]
    until: Annotated[Instant, Meta(description="Until when it is throttled; else null")]
    since: Annotated[Instant, Meta(description="Since when it is neither open nor throttled; else null")] = None
    asked_at: Annotated[Instant, Meta(description="When calls to it were last written down; null before any")] = None


class TargetReport(Struct, frozen=True, kw_only=True):
    """One proxy, and everything that is known of its upgrade."""

    scope: str
    project_id: Text
    instance_id: str
    proxy_id: str
    labels: dict[str, str]
    wave: Annotated[Text, Meta(description="The wave that drew it; null before that")]
    source_version: Annotated[Text, Meta(description="The version read before the last attempt, else the plan's")]
    target_version: str
    outcome: Annotated[str, Meta(description="Its outcome; in an unfinished run also where it stands")]
    reason: Annotated[
        Text,
        Meta(
            description="Why, in the cloud's words or as one word of a rule; if upgraded, what the cloud refused of it"
        ),
    ]
    settled_by: Annotated[Text, Meta(description="The person who decided it; null when evidence did")]
    settled_host: Annotated[Text, Meta(description="From where that person did; null where it was not recorded")] = None
    workflow_ids: Annotated[list[str], Meta(description="Of upgrades that were accepted, or adopted on evidence")]
    attempts: list[AttemptReport]
    job: Annotated[
        JobReport | None, Meta(description="The job that went worst, else the last; null when none was seen")
    ]
    verified_version: Annotated[Text, Meta(description="The version read afterwards")]
    evidence: Annotated[list[str] | None, Meta(description="What was found about a doubtful attempt, in order")]
    started_at: Annotated[Instant, Meta(description="Instant of the first intent")]
    settled_at: Instant
    facts: Annotated[
        FactsReport | None, Meta(description="What discovery learned; null of a target that was written out")
    ] = None
    earlier: Annotated[
        EarlierReport | None, Meta(description="How an earlier run ended for it, when that was not good; else null")
    ] = None
    needs_person: Annotated[
        bool, Meta(description="Whether a person has to settle it, unless a later session still sees what became of it")
    ] = False
    stuck_at: Annotated[Instant, Meta(description="Since when that is so, or was until its end")] = None
    impact: Annotated[
        ImpactReport | UnsetType, Meta(description="What its upgrade did to applications; absent when not measured")
    ] = UNSET

    @property
    def called(self) -> str:
        """What people know it by, to stand beside its id; as of `Target.called`."""
        return called(self.facts.both if self.facts else "", self.labels)


class Head(Struct, frozen=True, kw_only=True):
    """Everything of a report but the targets."""

    schema: Annotated[Literal["orchestrator.report/1"], Meta(description="Form and version of this document")] = FORM
    run: RunReport
    totals: Totals
    reject_reasons: Annotated[list[RejectReason], Meta(description="By count, the most frequent first")]
    waves: list[WaveReport]
    scopes: list[ScopeReport]
    gates: Annotated[
        list[GateReport] | UnsetType, Meta(description="Gates that have been asked, by name; absent without any")
    ] = UNSET
    impact: Annotated[
        ImpactsReport | UnsetType, Meta(description="What upgrades did to applications; absent when not measured")
    ] = UNSET
    limits: Annotated[
        LimitsReport | UnsetType, Meta(description="What a person has changed of the limits; absent without any")
    ] = UNSET
    capacity: Annotated[
        CapacityReport | UnsetType,
        Meta(description="Free addresses of subnets; absent when none was read, and none refused for them"),
    ] = UNSET


class Report(Head, frozen=True, kw_only=True):
    """What a run did, and where it stands: a fold of its journal and nothing else."""

    targets: Annotated[list[TargetReport], Meta(description="In plan order")]


def report_schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of an orchestrator run",
        **msgspec.json.schema(Report),
    }
