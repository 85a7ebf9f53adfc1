"""Logs: one line per record, derived from it, and a few about the process. Import it late: structlog takes time.

An event's name is `area.thing_happened`, everything else is a key with a value; there is no prose to parse. A log that
nobody reads any more (a closed pipe, a closed terminal) never ends a run. No secret is ever given to it.
"""

import os
import sys
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO, TypeAlias, cast

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

from orchestrator.errors import StateError
from orchestrator.host import READER_GONE, open_to_hand_over
from orchestrator.plain import plain, plain_json

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Form: TypeAlias = Literal["json", "console", "lines", "auto"]
_Event: TypeAlias = MutableMapping[str, Any]

#: How severe each level is; what is below the wanted one is dropped.
LEVELS: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def open_log(
    now: Callable[[], datetime],
    *,
    level: Level = "info",
    form: Form = "auto",
    file: Path | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    on_lost: Callable[[str], None] | None = None,
) -> FilteringBoundLogger:
    """A logger that writes to standard error or, in its place, to a file.

    Args:
        now: the clock, for events that are no records.
        level: what is below is dropped.
        form: `auto` is for people on a terminal, else JSON, one object a line; `lines`, which knows only records, is as
            `console` here.
        file: appended to; made with mode 0600.
        stderr: taken for standard error.
        environ: taken for the environment, which says what people want of colours.
        on_lost: called once, with the reason, when lines are lost that a reader may have wanted, as on a full disk.

    Raises:
        StateError: the file cannot be opened.
    """
    stream = (stderr or sys.stderr) if file is None else _open_file(file)
    patient = PatientStream(stream, on_lost)
    if file is not None:
        weakref.finalize(patient, stream.close)  # with the logger, at the latest at the end of the process
    people = form in ("console", "lines") or (form == "auto" and _is_terminal(stream))
    logger = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", patient)),
        processors=[
            structlog.processors.add_log_level,
            _Stamp(now),
            _console(colors=in_colour(os.environ if environ is None else environ, terminal=_is_terminal(stream)))
            if people
            else _json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return cast("FilteringBoundLogger", logger.bind())


class PatientStream:
    """A text stream that goes silent when it cannot be written any more, instead of ending the process.

    Nothing is lost that matters: the journal holds every record that a log line is made of.

    Args:
        on_lost: called with the reason, unless only the reader is gone.
    """

    def __init__(self, stream: TextIO, on_lost: Callable[[str], None] | None) -> None:
        self._stream: TextIO | None = stream
        self._on_lost = on_lost

    def write(self, text: str) -> int:
        """Write, unless the reader is gone."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError) as error:  # a closed pipe, a full disk; ValueError: the stream was closed
                self._drop(error)
        return len(text)

    def flush(self) -> None:
        """Flush, unless the reader is gone."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:  # as in write
                self._drop(error)

    def _drop(self, error: OSError | ValueError) -> None:
        if self._on_lost is not None and isinstance(error, OSError) and error.errno not in READER_GONE:
            self._on_lost(error.strerror or str(error))
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


def _json(_logger: object, _method: str, event: _Event) -> str:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
    return plain_json(msgspec.json.encode(first | dict(event)).decode())


def _console(*, colors: bool) -> Callable[[Any, str, _Event], str]:
    render = structlog.dev.ConsoleRenderer(colors=colors)
    return lambda logger, method, event: render(logger, method, _plain_texts(msgspec.to_builtins(event)))


def _plain_texts(event: _Event) -> _Event:
    """The renderer shows texts as they are; what is no text is written out as JSON."""
    return {
        key: plain(value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for key, value in event.items()
    }


def in_colour(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether text for people has colours: on a terminal that knows them, unless the environment says otherwise.

    `NO_COLOR` (no-color.org) goes before `FORCE_COLOR` (force-color.org); an empty value says nothing.
    """
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (terminal and environ.get("TERM") != "dumb")


def _is_terminal(stream: TextIO) -> bool:
    return not stream.closed and stream.isatty()


def _open_file(path: Path) -> TextIO:
    try:
        handle = open_to_hand_over(path, os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise StateError(
            f"{path}: cannot write the log: {error.strerror or error}", hint="name another file with --log-file"
        ) from error
