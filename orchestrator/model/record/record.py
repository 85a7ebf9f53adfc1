"""Every record of the journal, as frozen values: what the executor says happened, in the order in which it happened.

A record is plain data keyed by (target, step, attempt). `orchestrator.model.run.run.Run` folds records into the state
of a run, the report is a fold of them too, and nothing else is remembered. A new record needs a class here, its place
in `Record`, and a line in `Run.apply`; fields may be added with defaults, never changed in meaning.
"""

from typing import TypeAlias

from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.record.command_record import (
    CommandIgnored,
    CommandRecord,
    FleetClaimed,
    HoldReleased,
    WaveApproved,
)
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.model.record.impact_record import ImpactSampled, MetricsMissing
from orchestrator.model.record.limit_record import EarlierStarts, LimitsChanged
from orchestrator.model.record.part_record import PartFailed
from orchestrator.model.record.record_base import Clocks
from orchestrator.model.record.run_record import (
    JOURNAL_VERSION,
    ClockStepped,
    CloudTimeLearned,
    EarlierOutcome,
    HoldCause,
    HoldSet,
    OutcomeKept,
    RunEnded,
    RunRecord,
    RunStarted,
    ScopeGivenUp,
    ScopeHeard,
    ScopeOpened,
    ScopePaused,
    ScopeSilent,
    ScopeThrottled,
    ScopeUsed,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)
from orchestrator.model.record.session_record import SessionEnded, SessionStarted
from orchestrator.model.record.target_record import (
    AnswerMissing,
    AnswerSeen,
    AttemptDisproved,
    DoubtLooked,
    DoubtRemains,
    DoubtRenewed,
    FollowTimedOut,
    Intent,
    JobSeen,
    NotReverified,
    Postponed,
    PreflightDone,
    ReturnedToWaiting,
    Reverified,
    Settled,
    StoryFailed,
    TargetRecord,
    Verdict,
    VersionAdopted,
    VersionReached,
    WorkflowAdopted,
)
from orchestrator.model.record.turn_record import (
    ReadingAsked,
    RereadAsked,
    Rested,
    ScopeLeft,
    ScopeServed,
    SharedRecord,
    TurnGiven,
    TurnReturned,
)

__all__ = [
    "JOURNAL_VERSION",
    "AnswerMissing",
    "AnswerSeen",
    "AttemptDisproved",
    "ClockStepped",
    "Clocks",
    "CloudEventsRead",
    "CloudTimeLearned",
    "CommandIgnored",
    "DoubtLooked",
    "DoubtRemains",
    "DoubtRenewed",
    "EarlierOutcome",
    "EarlierStarts",
    "FleetClaimed",
    "FollowTimedOut",
    "GateAnswered",
    "HoldCause",
    "HoldReleased",
    "HoldSet",
    "ImpactSampled",
    "Intent",
    "JobSeen",
    "LimitsChanged",
    "MetricsMissing",
    "NotReverified",
    "OutcomeKept",
    "PartFailed",
    "Postponed",
    "PreflightDone",
    "ReadingAsked",
    "Record",
    "RereadAsked",
    "Rested",
    "ReturnedToWaiting",
    "Reverified",
    "RunEnded",
    "RunRecord",
    "RunStarted",
    "ScopeGivenUp",
    "ScopeHeard",
    "ScopeLeft",
    "ScopeOpened",
    "ScopePaused",
    "ScopeServed",
    "ScopeSilent",
    "ScopeThrottled",
    "ScopeUsed",
    "SessionEnded",
    "SessionStarted",
    "Settled",
    "SharedRecord",
    "StoryFailed",
    "SubnetRead",
    "TargetRecord",
    "TurnGiven",
    "TurnReturned",
    "Verdict",
    "VersionAdopted",
    "VersionReached",
    "WaveApproved",
    "WaveDone",
    "WaveOpened",
    "WaveSoaking",
    "WorkflowAdopted",
]

Record: TypeAlias = (
    RunRecord
    | CommandRecord
    | GateAnswered
    | ImpactSampled
    | MetricsMissing
    | EarlierStarts
    | LimitsChanged
    | SubnetRead
    | CloudEventsRead
    | SharedRecord
    | TargetRecord
)
