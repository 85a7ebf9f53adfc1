"""The log as a sink of records: the name and level of the line of each, and its keys."""

from functools import cache
from typing import Any, ClassVar

from structlog.typing import FilteringBoundLogger

from orchestrator.app.sinks.tee import RecordSink
from orchestrator.log import LEVELS, Level
from orchestrator.model.record import record as records
from orchestrator.model.record.outcome import GOOD, Outcome
from orchestrator.model.record.record import Record

#: Name and level of every record's log line; a level that depends on the record is decided in `level_of`.
_EVENTS: dict[type[Record], tuple[str, Level]] = {
    records.RunStarted: ("run.started", "info"),
    records.OutcomeKept: ("target.kept", "debug"),
    records.EarlierOutcome: ("target.known", "debug"),
    records.CloudEventsRead: ("events.read", "debug"),
    records.SubnetRead: ("subnet.read", "debug"),
    records.LimitsChanged: ("limits.changed", "warning"),
    records.EarlierStarts: ("starts.known", "debug"),
    records.SessionStarted: ("session.started", "info"),
    records.SessionEnded: ("session.ended", "info"),
    records.RunEnded: ("run.ended", "info"),
    records.WaveOpened: ("wave.opened", "info"),
    records.WaveSoaking: ("wave.soaking", "info"),
    records.WaveDone: ("wave.done", "info"),
    records.WaveApproved: ("wave.approved", "info"),
    records.HoldSet: ("hold.set", "error"),
    records.HoldReleased: ("hold.released", "warning"),
    records.FleetClaimed: ("fleet.claimed", "warning"),
    records.CommandIgnored: ("command.ignored", "warning"),
    records.ScopePaused: ("scope.paused", "warning"),
    records.ScopeThrottled: ("scope.throttled", "warning"),
    records.ScopeOpened: ("scope.opened", "info"),
    records.ScopeGivenUp: ("scope.given_up", "error"),
    records.ScopeSilent: ("scope.silent", "warning"),
    records.ScopeHeard: ("scope.heard", "info"),
    records.ScopeUsed: ("scope.used", "debug"),
    records.GateAnswered: ("gate.answered", "info"),
    records.MetricsMissing: ("metrics.missing", "warning"),
    records.ImpactSampled: ("target.impact", "debug"),
    records.PartFailed: ("part.failed", "error"),
    records.CloudTimeLearned: ("clock.cloud_time_learned", "debug"),
    records.ClockStepped: ("clock.stepped", "warning"),
    records.TurnGiven: ("turn.given", "debug"),
    records.TurnReturned: ("turn.returned", "debug"),
    records.Rested: ("target.rests", "debug"),
    records.ScopeServed: ("scope.served", "info"),
    records.ScopeLeft: ("scope.left", "warning"),
    records.ReadingAsked: ("reading.asked", "debug"),
    records.RereadAsked: ("wave.reread", "debug"),
    records.PreflightDone: ("preflight.done", "debug"),
    records.Postponed: ("target.postponed", "info"),
    records.Intent: ("attempt.intended", "debug"),
    records.AnswerSeen: ("attempt.answered", "info"),
    records.AnswerMissing: ("attempt.answer_missing", "warning"),
    records.DoubtLooked: ("doubt.looked", "info"),
    records.WorkflowAdopted: ("doubt.workflow_adopted", "info"),
    records.VersionAdopted: ("doubt.version_adopted", "info"),
    records.AttemptDisproved: ("doubt.attempt_disproved", "info"),
    records.DoubtRenewed: ("doubt.renewed", "warning"),
    records.DoubtRemains: ("doubt.remains", "warning"),
    records.JobSeen: ("job.seen", "debug"),
    records.VersionReached: ("job.version_reached", "info"),
    records.FollowTimedOut: ("job.timed_out", "warning"),
    records.Reverified: ("target.reverified", "debug"),
    records.NotReverified: ("target.not_reverified", "warning"),
    records.Settled: ("target.settled", "info"),
    records.ReturnedToWaiting: ("target.returned_to_waiting", "warning"),
    records.StoryFailed: ("story.failed", "error"),
}
#: What says nothing to a reader of logs; the journal keeps it.
_LEFT_OUT = frozenset(
    {
        "at",
        "step",
        "token",
        "command",
        "known_rejects",
        "journal",
        "commands_seen",
        "clocks",
        "clouds",
        "waits",
        "samples",
        "instants",
    }
)
#: In records that are not about an attempt.
_NO_ATTEMPT = ("attempt", 0)
#: Kinds whose level depends on what they say; the others, nearly all records, are not asked.
_JUDGED = frozenset(
    {
        records.HoldSet,
        records.GateAnswered,
        records.SubnetRead,
        records.CloudEventsRead,
        records.Settled,
        records.AnswerSeen,
        records.Reverified,
    }
)


class RecordLog(RecordSink):
    """Writes the log line of every record.

    Args:
        logger: from `open_log`, perhaps with `run_id` bound.
    """

    name: ClassVar = "the log"

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger

    def take(self, record: Record) -> None:
        """Log one record."""
        name, level = _EVENTS[type(record)][0], level_of(record)
        if self._logger.is_enabled_for(LEVELS[level]):
            self._logger.log(LEVELS[level], name, timestamp=record.at, **_keys(record))


def level_of(record: Record) -> Level:
    """How much a record matters."""
    return _judged(record) if type(record) in _JUDGED else _EVENTS[type(record)][1]


def _judged(record: Record) -> Level:
    """The level of a record of a kind whose level depends on what it says."""
    match record:
        case records.HoldSet(cause="approval"):
            return "warning"  # a plan that asks for it is no failure
        case records.GateAnswered(again=True):
            return "debug"
        case records.GateAnswered(open=False) | records.SubnetRead(denied=True) | records.CloudEventsRead(denied=True):
            return "warning"
        case records.Settled(outcome=outcome):
            return "info" if outcome in GOOD or outcome in (Outcome.SKIPPED, Outcome.PARTIAL) else "warning"
        case records.AnswerSeen(verdict="in_doubt" | "rejected" | "refused") | records.Reverified(healthy=False):
            return "warning"
        case _:
            return _EVENTS[type(record)][1]


def _keys(record: Record) -> dict[str, Any]:
    """The fields that say something."""
    kept = ((key, getattr(record, key)) for key in _shown(type(record)))
    return {key: value for key, value in kept if value not in (None, "", (), {}) and (key, value) != _NO_ATTEMPT}


@cache  # one entry for each kind of record
def _shown(kind: type[Record]) -> tuple[str, ...]:
    return tuple(key for key in kind.__struct_fields__ if key not in _LEFT_OUT)
