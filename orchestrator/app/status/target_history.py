"""Everything that is known of one proxy, in order, and the rule that decided its fate."""

from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.model.outcome import FAILED_BEFORE, Outcome, Phase
from orchestrator.model.record import Record
from orchestrator.model.reply import Entry
from orchestrator.model.state import TargetState
from orchestrator.tracker.paths import list_runs
from orchestrator.tracker.runs.recovery import Recovered, recover

_RULES = {
    Outcome.SUCCEEDED: "accepted, and completed and verified as far as follow.to asks",
    Outcome.ACCEPTED: "accepted, and follow.to asks for no more",
    Outcome.PARTIAL: "ACCEPT and REJECT in one answer, and follow.to does not ask for verification",
    Outcome.ALREADY: "it runs the target version or a newer one, and nothing was sent for it",
    Outcome.REJECTED: "the cloud said no, and nothing was started",
    Outcome.FAILED: "an upgrade began and ended badly",
    Outcome.MISMATCH: "the job completed, and the version was not the target version within verify_for",
    Outcome.DEFERRED: "the cloud was busy with its instance for retry.busy_for, or until the window closed",
    Outcome.SKIPPED: "a rule leaves it out",
    Outcome.NOT_STARTED: "the run was ended before its turn came",
}
_PHASE_RULES = {
    Phase.WAITING: "it waits for its turn",
    Phase.IN_FLIGHT: "an upgrade of ours is under way, and its end is waited for",
    Phase.DOUBT: "an attempt left and no answer that can be trusted came back: it is being reconciled",
    Phase.IN_DOUBT: "the doubt period passed without evidence: never sent again until evidence comes, or `settle`",
    Phase.TIMED_OUT: "no end was seen within follow.timeout: it keeps its slot until its end is seen, or `settle`",
}
#: Beside what stands elsewhere in the line: the token of an intent is no secret, but is easily taken for one.
_LEFT_OUT = frozenset({"at", "target", "step", "attempt", "record", "token"})


def life(folder: Path, proxy_id: str) -> Iterator[str]:
    """The story of one proxy in a run; when that only kept its outcome, in the run where it took it.

    Raises:
        UsageError: it is no target of the run.
    """
    story: list[Record] = []
    recovered = recover(folder, lambda record: story.append(record) if record.target == proxy_id else None)
    if proxy_id not in recovered.run.targets:
        before = _took_its_outcome(folder, proxy_id)
        if before is None or all(kept.target != proxy_id for kept in recovered.run.kept):
            raise UsageError(f"{proxy_id} is no target of run {folder.name}")
        yield f"run {folder.name} left it out, and it keeps its outcome:"
        yield from life(before, proxy_id)
        return
    yield from _head(recovered, proxy_id)
    yield from (_line(record) for record in story)
    yield from _verdict(recovered.run.states.get(proxy_id))


def _took_its_outcome(folder: Path, proxy_id: str) -> Path | None:
    """The newest run before this one that did more with the proxy than leave it out for its earlier failure."""
    for run in reversed(list_runs(folder.parent.parent)):
        if run.name < folder.name:
            found = recover(run).run
            if proxy_id in found.targets and found.state(proxy_id).reason != FAILED_BEFORE:
                return run
    return None


def _head(recovered: Recovered, proxy_id: str) -> Iterator[str]:
    target = recovered.run.targets[proxy_id]
    yield f"{proxy_id} on instance {target.instance_id}, scope {target.scope}, run {recovered.folder.name}"
    if target.labels:
        yield "  labels: " + ", ".join(f"{name}={value}" for name, value in target.labels.items())


def _line(record: Record) -> str:
    name = type(record).__struct_config__.tag
    facts = ((field, getattr(record, field)) for field in record.__struct_fields__ if field not in _LEFT_OUT)
    told = ", ".join(f"{field}={_value(value)}" for field, value in facts if value not in (None, (), "", 0, False))
    attempt = f" attempt {record.attempt}" if record.attempt else ""
    return f"  {record.at:%Y-%m-%d %H:%M:%S.%f}Z{attempt} {name}: {told}"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + "; ".join(_value(each) for each in value) + "]"
    if isinstance(value, Entry):
        return f"{value.state} {value.workflow_id} {value.error_message or ''}".strip()
    return str(value)


def _verdict(state: TargetState | None) -> Iterator[str]:
    if state is None:
        yield f"now: waiting ({_PHASE_RULES[Phase.WAITING]})"
    elif state.outcome is not None:
        reason = f": {state.reason}" if state.reason else ""
        who = f" settled by {state.settled_by}" if state.settled_by else _RULES[state.outcome]
        yield f"now: {state.outcome.value}{reason} ({who.strip()})"
    else:
        reason = f": {state.reason}" if state.reason else ""
        yield f"now: {state.standing}{reason} ({_PHASE_RULES[state.phase]})"
