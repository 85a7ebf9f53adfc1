"""What a record that another host has added means for this session, beside what it means for the run."""

from datetime import timedelta

from orchestrator.executor.decide.actions import ReadCloud
from orchestrator.executor.decide.bench import EVENTS, SUBNET, Block
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.record.record import (
    CloudEventsRead,
    GateAnswered,
    ReadingAsked,
    Record,
    RereadAsked,
    ScopeGivenUp,
    ScopePaused,
    ScopeServed,
    SessionEnded,
    SubnetRead,
    TurnGiven,
)


def heard(rollout: Rollout, record: Record) -> None:
    """Keep the session's own knowledge in step with what another host says."""
    match record:
        case TurnGiven() | GateAnswered():
            _answered(rollout, record)
        case SubnetRead():
            _read(rollout, (SUBNET, record.subnet_id), record)
        case CloudEventsRead():
            _read(rollout, (EVENTS, record.scope), record)
        case ReadingAsked():
            rollout.asked.append(ReadCloud(record.scope, (record.kind, record.value)))
        case RereadAsked():
            rollout.asked_again = record.wave
        case ScopeServed():
            _served(rollout, record.scope)
        case ScopePaused() | ScopeGivenUp():
            rollout.missed.add(record.scope)
        case SessionEnded():
            rollout.stop = rollout.stop or "the session of the host that decides has ended"
        case _:
            pass


def _answered(rollout: Rollout, record: TurnGiven | GateAnswered) -> None:
    if isinstance(record, TurnGiven):
        answered = record.answered
    else:
        answered = {record.gate: record.at - timedelta(seconds=record.age_s)}
    for gate, at in answered.items():
        rollout.watches[gate].answered_at = at


def _read(rollout: Rollout, block: Block, record: SubnetRead | CloudEventsRead) -> None:
    reading = rollout.readings[block]
    reading.asking, reading.scope = False, record.scope
    reading.asked_at = reading.read_at = record.at


def _served(rollout: Rollout, scope: str) -> None:
    """Its stories are told again: nothing rests any more, and the new host has read nothing of its own yet."""
    rollout.resting -= {key for key in rollout.resting if rollout.run.targets[key].scope == scope}
    for block, reading in rollout.readings.items():
        if reading.scope == scope and (reading.asking or block == (EVENTS, scope)):
            reading.asking, reading.asked_at, reading.read_at = False, None, None
