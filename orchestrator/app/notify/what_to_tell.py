"""Record -> what a person should know of, pure. The same records always make the same signals, live and read again."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from orchestrator.errors import ExitCode
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.learned.refusal import refusals
from orchestrator.model.plan.plan import NoticeKind
from orchestrator.model.record.record import (
    AnswerSeen,
    DoubtRemains,
    FollowTimedOut,
    HoldSet,
    Record,
    RunEnded,
    RunStarted,
    SessionEnded,
    SessionStarted,
)
from orchestrator.model.reply.signature import signature

#: Beside what `on` names: of each session for a dead man's switch, and of a trial.
SignalKind: TypeAlias = NoticeKind | Literal["session_started", "session_ended", "test"]

FIRST_REJECT: Literal["first_reject"] = "first_reject"

#: What keeps a session from starting more although nothing is wrong.
_CLOSED = frozenset({Cause.WINDOW, Cause.FREEZE, Cause.FIT, Cause.PER_WINDOW, Cause.BOUND})

#: So many targets are named; the report has them all.
_NAMED = 20


class Signal(Struct, frozen=True, kw_only=True):
    """Something happened.

    Attributes:
        key: with the run and the kind it tells this signal from every other.
        sentence: what happened, for people.
        wait: what a person has to do something about; None when it is only news.
        exit_code: of a session that has ended.
    """

    kind: SignalKind
    key: str
    at: datetime
    sentence: str
    wait: Wait | None = None
    proxy_ids: tuple[str, ...] = ()
    exit_code: int | None = None


class Signals:
    """Makes signals of records, in their order.

    Args:
        known_rejects: signatures of the reasons that are no news any more.
    """

    def __init__(self, known_rejects: Collection[str] = ()) -> None:
        self._known = set(known_rejects)
        self._stuck = False

    def of(self, record: Record) -> Iterator[Signal]:
        """What a record says to a person; most say nothing."""
        match record:
            case RunStarted():
                self._known.update(map(signature, record.known_rejects))
            case SessionStarted():
                self._stuck = False
                yield _plain("session_started", record, "a session has begun")
            case HoldSet() if record.command or record.since is None:  # else it was carried over from an earlier run
                yield _hold(record)
            case DoubtRemains() | FollowTimedOut() if not self._stuck:
                self._stuck = True
                yield _stuck(record)
            case AnswerSeen():
                yield from self._rejects(record)
            case SessionEnded():
                yield from _session_ended(record)
            case RunEnded():
                yield _ended(record)
            case _:
                pass

    def _rejects(self, record: AnswerSeen) -> Iterator[Signal]:
        for refusal in refusals(record):
            if refusal.signature not in self._known:
                self._known.add(refusal.signature)
                yield Signal(
                    kind=FIRST_REJECT,
                    key=refusal.signature,
                    at=record.at,
                    sentence=f"a REJECT reason never seen before: {refusal.text}",
                    wait=Wait(Cause.BEHIND, ("", "", "", "")),
                    proxy_ids=() if record.target is None else (record.target,),
                )


def _plain(kind: SignalKind, record: Record, sentence: str) -> Signal:
    return Signal(kind=kind, key=record.at.isoformat(), at=record.at, sentence=sentence)


def _hold(record: HoldSet) -> Signal:
    note = f": {record.note}" if record.note else ""
    by = f", by {record.who}{note}" if record.who else ""
    approval = record.cause == "approval" and record.wave is not None
    return Signal(
        kind="approval" if approval else "held",
        key=record.at.isoformat(),
        at=record.at,
        sentence=record.reason if approval else f"the fleet is held: {record.reason}{by}",
        wait=Wait(Cause.APPROVAL, (record.wave or "",)) if approval else Wait(Cause.HOLD, (record.reason,)),
        proxy_ids=record.proxy_ids[:_NAMED],
    )


def _stuck(record: DoubtRemains | FollowTimedOut) -> Signal:
    what = "in doubt" if isinstance(record, DoubtRemains) else "timed out"
    return Signal(
        kind="person",
        key=record.at.isoformat(),
        at=record.at,
        sentence=f"a target is {what}: {record.why}",
        wait=Wait(Cause.PERSON, (record.target or "",)),
        proxy_ids=() if record.target is None else (record.target,),
    )


def _session_ended(record: SessionEnded) -> Iterator[Signal]:
    key, code = record.at.isoformat(), record.exit_code
    wait = Wait.recalled(record.waits)
    if code == ExitCode.PERSON_NEEDED:
        sentence = f"nothing moves without a person: {record.why}"
        yield Signal(kind="person", key=key, at=record.at, sentence=sentence, wait=Wait(Cause.PERSON, ("",)))
    elif code == ExitCode.MORE_TO_DO and wait is not None and wait.cause in _CLOSED:
        sentence = f"no more starts for now: {record.why}"
        yield Signal(kind="window_closes", key=key, at=record.at, sentence=sentence, wait=wait)
    sentence = f"the session ended with {code}: {record.why}"
    yield Signal(kind="session_ended", key=key, at=record.at, sentence=sentence, exit_code=code)


def _ended(record: RunEnded) -> Signal:
    why = "every target has its outcome" if record.why == "completed" else "a new run takes its place"
    return Signal(
        kind="ended",
        key=record.at.isoformat(),
        at=record.at,
        sentence=f"the run has ended: {why}",
        wait=Wait(Cause.BEHIND, ("", "", "", "")),
    )
