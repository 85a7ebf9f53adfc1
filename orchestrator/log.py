"""Logs: one line per record, derived from it, and a few about the process. Import it late: structlog takes time.

An event's name is `area.thing_happened`, everything else is a key with a value; there is no prose to parse. A log that
nobody reads any more (a closed pipe, a closed terminal) never ends a run. No secret is ever given to it.
"""

import json
import os
import sys
import weakref
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO, TypeAlias, cast

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

from orchestrator.errors import StateError
from orchestrator.model import record as records
from orchestrator.model.outcome import GOOD, Outcome
from orchestrator.model.record import Record
from orchestrator.plain import plain

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Form: TypeAlias = Literal["json", "console", "auto"]
_Event: TypeAlias = MutableMapping[str, Any]

_LEVELS: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

#: Name and level of every record's log line; a level that depends on the record is decided in `_level`.
_EVENTS: dict[type[Record], tuple[str, Level]] = {
    records.RunStarted: ("run.started", "info"),
    records.OutcomeKept: ("target.kept", "debug"),
    records.EarlierOutcome: ("target.known", "debug"),
    records.SessionStarted: ("session.started", "info"),
    records.SessionEnded: ("session.ended", "info"),
    records.RunEnded: ("run.ended", "info"),
    records.WaveOpened: ("wave.opened", "info"),
    records.WaveSoaking: ("wave.soaking", "info"),
    records.WaveDone: ("wave.done", "info"),
    records.WaveApproved: ("wave.approved", "info"),
    records.HoldSet: ("hold.set", "error"),
    records.HoldReleased: ("hold.released", "warning"),
    records.CommandIgnored: ("command.ignored", "warning"),
    records.ScopePaused: ("scope.paused", "warning"),
    records.ScopeThrottled: ("scope.throttled", "warning"),
    records.ScopeOpened: ("scope.opened", "info"),
    records.ScopeGivenUp: ("scope.given_up", "error"),
    records.ScopeUsed: ("scope.used", "debug"),
    records.PartFailed: ("part.failed", "error"),
    records.CloudTimeLearned: ("clock.cloud_time_learned", "debug"),
    records.ClockStepped: ("clock.stepped", "warning"),
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
    records.Settled: ("target.settled", "info"),
    records.ReturnedToWaiting: ("target.returned_to_waiting", "warning"),
    records.StoryFailed: ("story.failed", "error"),
}
#: What says nothing to a reader of logs; the journal keeps it.
_LEFT_OUT = frozenset({"at", "step", "token", "command", "known_rejects", "journal", "commands_seen"})
#: In records that are not about an attempt.
_NO_ATTEMPT = ("attempt", 0)


class RecordLog:
    """Writes the log line of every record that it is called with.

    Args:
        logger: from `open_log`, perhaps with `run_id` bound.
    """

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger

    def __call__(self, record: Record) -> None:
        """Log one record."""
        name, level = _EVENTS[type(record)]
        level = _level(record, level)
        if self._logger.is_enabled_for(_LEVELS[level]):
            self._logger.log(_LEVELS[level], name, timestamp=record.at, **_keys(record))


def open_log(
    now: Callable[[], datetime],
    *,
    level: Level = "info",
    form: Form = "auto",
    file: Path | None = None,
    stderr: TextIO | None = None,
) -> FilteringBoundLogger:
    """A logger that writes to standard error or, in its place, to a file.

    Args:
        now: the clock, for events that are no records.
        level: what is below is dropped.
        form: `auto` is for people on a terminal, else JSON, one object a line.
        file: appended to; made with mode 0600.
        stderr: taken for standard error.

    Raises:
        StateError: the file cannot be opened.
    """
    stream = (stderr or sys.stderr) if file is None else _open_file(file)
    patient = PatientStream(stream)
    if file is not None:
        weakref.finalize(patient, stream.close)  # with the logger, at the latest at the end of the process
    people = form == "console" or (form == "auto" and _is_terminal(stream))
    logger = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", patient)),
        processors=[
            structlog.processors.add_log_level,
            _Stamp(now),
            _console(colors=_is_terminal(stream)) if people else _json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )
    return cast("FilteringBoundLogger", logger.bind())


class PatientStream:
    """A text stream that goes silent when its reader is gone, instead of ending the process.

    Nothing is lost that matters: the journal holds every record that a log line is made of.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream

    def write(self, text: str) -> int:
        """Write, unless the reader is gone."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError):  # a closed pipe, a full disk; ValueError when the stream itself was closed
                self._drop()
        return len(text)

    def flush(self) -> None:
        """Flush, unless the reader is gone."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):  # as in write
                self._drop()

    def _drop(self) -> None:
        # What is still buffered would fail once more when the interpreter ends, and turn the exit code into 120.
        stream, self._stream = self._stream, None
        with suppress(OSError, ValueError):  # a stream without a file beneath has nothing to fail later
            if stream is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), stream.fileno())


class _Stamp:
    """Gives an event without an instant the present one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def __call__(self, _logger: object, _method: str, event: _Event) -> _Event:
        at = event.pop("timestamp", None) or self._now()
        event["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event


def _level(record: Record, usual: Level) -> Level:
    match record:
        case records.Settled(outcome=outcome):
            return "info" if outcome in GOOD or outcome in (Outcome.SKIPPED, Outcome.PARTIAL) else "warning"
        case records.AnswerSeen(verdict="in_doubt" | "rejected" | "refused"):
            return "warning"
        case records.Reverified(healthy=False):
            return "warning"
        case _:
            return usual


def _keys(record: Record) -> dict[str, Any]:
    """The fields that say something."""
    kept = ((key, getattr(record, key)) for key in record.__struct_fields__ if key not in _LEFT_OUT)
    return {key: value for key, value in kept if value not in (None, "", (), {}) and (key, value) != _NO_ATTEMPT}


def _json(_logger: object, _method: str, event: _Event) -> str:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
    line = msgspec.json.encode(first | dict(event)).decode()
    if line.isprintable():
        return line
    # Only strings hold such characters, and there an escape means the same.
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def _console(*, colors: bool) -> Callable[[Any, str, _Event], str]:
    render = structlog.dev.ConsoleRenderer(colors=colors)
    return lambda logger, method, event: render(logger, method, _plain_texts(msgspec.to_builtins(event)))


def _plain_texts(event: _Event) -> _Event:
    """The renderer shows texts as they are, and writes out what is no text as Python does."""
    return {key: plain(value) if isinstance(value, str) else value for key, value in event.items()}


def _is_terminal(stream: TextIO) -> bool:
    return not stream.closed and stream.isatty()


def _open_file(path: Path) -> TextIO:
    try:
        path.touch(mode=0o600)
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise StateError(
            f"{path}: cannot write the log: {error.strerror or error}", hint="name another file with --log-file"
        ) from error
