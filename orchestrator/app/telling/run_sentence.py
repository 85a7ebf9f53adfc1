"""A sentence for each record of a run: its sessions, waves, scopes, gates and holds."""

from typing import TypeAlias, assert_never

from orchestrator.errors import OUTLIVED_BUG_HINT
from orchestrator.model.record import record as r
from orchestrator.model.record.command_record import CommandRecord
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.spoken import counted

_Ends: TypeAlias = r.RunStarted | r.RunEnded | r.SessionStarted | r.SessionEnded
_Waves: TypeAlias = r.WaveOpened | r.WaveSoaking | r.WaveDone | r.WaveApproved
_Holds: TypeAlias = r.HoldSet | r.HoldReleased | r.CommandIgnored | r.FleetClaimed
_Scopes: TypeAlias = (
    r.ScopePaused | r.ScopeThrottled | r.ScopeOpened | r.ScopeGivenUp | r.ScopeSilent | r.ScopeHeard | r.ScopeUsed
)
_Known: TypeAlias = r.OutcomeKept | r.EarlierOutcome
_Clocks: TypeAlias = r.CloudTimeLearned | r.ClockStepped


def run_sentence(record: r.RunRecord | CommandRecord | GateAnswered) -> str:  # noqa: PLR0911  # one for each kind
    """What happened to the run."""
    match record:
        case r.RunStarted() | r.RunEnded() | r.SessionStarted() | r.SessionEnded():
            return _end(record)
        case r.WaveOpened() | r.WaveSoaking() | r.WaveDone() | r.WaveApproved():
            return f"wave {record.wave} {_wave(record)}"
        case r.HoldSet() | r.HoldReleased() | r.CommandIgnored() | r.FleetClaimed():
            return _hold(record)
        case (
            r.ScopePaused()
            | r.ScopeThrottled()
            | r.ScopeOpened()
            | r.ScopeGivenUp()
            | r.ScopeSilent()
            | r.ScopeHeard()
            | r.ScopeUsed()
        ):
            return f"scope {record.scope} {_scope(record)}"
        case r.CloudTimeLearned() | r.ClockStepped():
            return _clock(record)
        case r.OutcomeKept() | r.EarlierOutcome():
            return _known(record)
        case r.PartFailed(host=str(host)) if host:
            return record.words
        case r.PartFailed(part=part, error=error):
            return f"internal error in {part}: {error}; {OUTLIVED_BUG_HINT}"
        case GateAnswered(gate=gate, evidence=evidence):
            return f"gate {gate} {'open' if record.open else 'CLOSED'}{f': {evidence}' if evidence else ''}"
        case _:
            assert_never(record)


def _end(record: _Ends) -> str:
    match record:
        case r.RunStarted(run_id=run_id, targets=targets, target_version=version):
            return f"run {run_id} begins: {counted(targets, 'target')} -> {version}"
        case r.RunEnded(why=why):
            return f"the run is {why}"
        case r.SessionStarted(number=number):
            changed = ", ".join(f"{key} {how}" for key, how in record.changed.items() if key not in record.set)
            given = ", ".join(f"{key} {how}" for key, how in record.set.items())
            words = f"{f'; set: {given}' if given else ''}{f'; changed: {changed}' if changed else ''}"
            return f"session {number} begins, by {record.who}{words}"
        case r.SessionEnded(exit_code=code, why=why):
            return f"the session ends with {code}: {why}"


def _wave(record: _Waves) -> str:
    match record:
        case r.WaveOpened():
            return "opens"
        case r.WaveSoaking(until=until):
            return f"soaks until {until:%Y-%m-%d %H:%M:%S}Z"
        case r.WaveDone():
            return "is done"
        case r.WaveApproved(note=note):
            return f"is approved by {record.who}: {note}"


def _hold(record: _Holds) -> str:
    match record:
        case r.HoldSet(reason=reason, who=who, note=note):
            by = f" by {who}" if who else ""
            return f"HELD{by}: {reason}{f' ({note})' if note and note not in reason else ''}"
        case r.HoldReleased(note=note):
            return f"released by {record.who}: {note}"
        case r.CommandIgnored(command=number, why=why):
            return f"command {number} no longer applies: {why}"
        case r.FleetClaimed(before=before, after=after):
            return f"handed over from {before} to {after}, by {record.who}"


def _scope(record: _Scopes) -> str:
    match record:
        case r.ScopePaused(why=why):
            return f"pauses, one probe at a time asks whether it is back: {why}"
        case r.ScopeThrottled(why=why, until=until):
            return f"is throttled by the cloud until {until:%H:%M:%S}Z: {why}"
        case r.ScopeOpened() | r.ScopeHeard():
            return "answers"
        case r.ScopeGivenUp(why=why):
            return f"is given up for this session: {why}"
        case r.ScopeSilent(why=why, since=since):
            return f"has not answered since {since:%H:%M:%S}Z: {why}"
        case r.ScopeUsed(calls=calls, throttled=throttled):
            return f"was asked {counted(calls, 'time')}, {throttled:,} times one too many"


def _clock(record: _Clocks) -> str:
    match record:
        case r.CloudTimeLearned(scope=scope, offset_s=offset):
            return f"the clock of scope {scope} is {offset:+.1f} s from this one"
        case r.ClockStepped(clock=clock, by_s=by, scope=scope):
            return f"the clock of {'this host' if clock == 'host' else f'scope {scope}'} was set by {by:+.1f} s"


def _known(record: _Known) -> str:
    match record:
        case r.OutcomeKept(outcome=outcome):
            return f"left out of this run, and stays {outcome}"
        case r.EarlierOutcome(outcome=outcome, run_id=run_id, reason=reason):
            return f"run {run_id} left it {outcome}{f' ({reason})' if reason else ''}"
