"""What a receiver gets: a signal with where the run stands, as CloudEvents 1.0 and as text for people."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from orchestrator.app.notify.what_to_tell import Signal, SignalKind
from orchestrator.executor.decide.waits import Wait
from orchestrator.model.record.outcome import Phase
from orchestrator.model.run.run import Run
from orchestrator.spoken import counted

SIGNATURE = "X-Orchestrator-Signature-256"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_SOURCE = "/orchestrator/"
_TYPE = "orchestrator."


class Notice(Struct, frozen=True, kw_only=True):
    """One event, as it is kept until everybody who should know of it was told.

    Attributes:
        id: the same however often it is sent.
        counts: targets by outcome, and by where they stand, when it was made.
        next_step: what to do; a command is ready to paste.
        report: path of the run's report.
    """

    id: str
    kind: SignalKind
    at: datetime
    fleet: str
    run_id: str
    target_version: str
    sentence: str
    proxy_ids: tuple[str, ...] = ()
    targets: int = 0
    counts: dict[str, int] = {}
    next_step: str | None = None
    report: str | None = None
    exit_code: int | None = None

    def cloud_event(self) -> bytes:
        """As JSON, in the structured form of CloudEvents 1.0."""
        fields = msgspec.to_builtins(self)
        head = {
            "specversion": "1.0",
            "id": fields.pop("id"),
            "source": _SOURCE + self.fleet,
            "type": _TYPE + self.kind,
            "subject": self.run_id,
            "time": fields.pop("at"),
            "datacontenttype": "application/json",
        }
        return msgspec.json.encode({**head, "data": fields})

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.fleet} -> {self.target_version}: {self.sentence}"

    @property
    def text(self) -> str:
        """The rest for people."""
        counts = ", ".join(f"{number} {name}" for name, number in self.counts.items())
        lines = [f"{counted(self.targets, 'target')}: {counts}" if counts else "", f"run {self.run_id}"]
        lines += [f"targets: {', '.join(self.proxy_ids)}" if self.proxy_ids else ""]
        lines += [f"do: {self.next_step}" if self.next_step else "", f"report: {self.report}" if self.report else ""]
        return "\n".join(filter(None, lines))


def signed(body: bytes, secret: str) -> str:
    """The value of the header that proves who sent a body: an HMAC-SHA256 with the secret that both know."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Origin(NamedTuple):
    """What every notice of a run says.

    Attributes:
        advise: what to do about a wait, in words; the second argument is a proxy that it is about.
    """

    fleet: str
    run_id: str
    report: Path
    advise: Callable[[Wait, str], str]


def notice_id(run_id: str, kind: SignalKind, key: str) -> str:
    """The same for the same signal of the same run, in every process."""
    digest = hashlib.sha256(f"{run_id}\n{kind}\n{key}".encode()).hexdigest()
    return f"{kind}-{digest[:24]}"


def make_notice(signal: Signal, run: Run, origin: Origin) -> Notice:
    """A signal, with where its run stands."""
    started = run.started
    first = next(iter(signal.proxy_ids), "") or next((state.key for state in _stuck(signal, run)), "PROXY_ID")
    return Notice(
        id=notice_id(origin.run_id, signal.kind, signal.key),
        kind=signal.kind,
        at=signal.at,
        fleet=origin.fleet,
        run_id=origin.run_id,
        target_version=started.target_version if started else "",
        sentence=signal.sentence,
        proxy_ids=signal.proxy_ids,
        targets=run.total + len(run.kept),
        counts=_counts(run),
        next_step=None if signal.wait is None else origin.advise(signal.wait, first),
        report=str(origin.report),
        exit_code=signal.exit_code,
    )


def _stuck(signal: Signal, run: Run) -> list[Any]:
    """Who a person has to look at, for a signal that names nobody; it scans what is touched, once at the end."""
    if signal.kind != "person":
        return []
    return [state for state in run.open_states() if state.phase in (Phase.IN_DOUBT, Phase.TIMED_OUT)]


def _counts(run: Run) -> dict[str, int]:
    counts = Counter(run.tally.fleet.standing)
    counts.update(each.outcome.value for each in run.kept)
    counts[Phase.WAITING.value] = run.waiting
    return {name: number for name, number in counts.items() if number}
