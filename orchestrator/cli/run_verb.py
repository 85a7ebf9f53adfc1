"""From the parsed command line to the exit code: the one place where errors become messages."""

from __future__ import annotations

import os
import sys

from orchestrator.app.process.light_start import start_lightly
from orchestrator.cli.before_calls import expect_room_for
from orchestrator.cli.grammar.parser import parse
from orchestrator.cli.options import Options
from orchestrator.cli.terminal import tell
from orchestrator.errors import Broken, ExitCode, OrchestratorError, host_error, place_of

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def run_verb(arguments: list[str]) -> int:
    """Run the verb of a command line and return its exit code."""
    try:
        options = parse(arguments)
        code = _run(options)
        return 0 if code in options.success_codes else int(code)
    except SystemExit as mistaken:  # of the parser, which has said what is wrong
        return int(mistaken.code or 0)
    except KeyboardInterrupt:
        return int(ExitCode.MORE_TO_DO)


def _run(options: Options) -> ExitCode:
    try:
        expect_room_for(options, os.environ)
        return _handler(options.verb)(options)
    except Exception as error:  # noqa: BLE001  # a bug, or the machine: say so in words
        ended = _ended(error, debug=options.log_level == "debug")
    # Here the error is let go with all that it held: after one of memory there is room for words again.
    if not options.silences(ended.exit_code):
        _say(str(ended), ended.hint)
    return ended.exit_code


def _ended(error: Exception, *, debug: bool) -> OrchestratorError:
    ended = error if isinstance(error, OrchestratorError) else host_error(error) or _bug(error)
    if debug and (ended is not error or ended.exit_code is ExitCode.INTERNAL):
        _trace(error)
    return ended


def _handler(verb: str) -> Callable[[Options], ExitCode]:
    from importlib import import_module  # noqa: PLC0415  # only the verb that is asked for is imported

    start_lightly()
    handler: Callable[[Options], ExitCode] = import_module(f"orchestrator.cli.verbs.verb_{verb}").run
    return handler


def _say(message: str, hint: str | None) -> None:
    lines = message if ":" in message.partition(" ")[0] else f"orchestrator: {message}"
    for line in lines.split("\n"):
        tell(line)
        for below in _below(line):
            tell(below)
    if hint:
        tell(f"hint: {hint}")


def _below(line: str) -> Iterable[str]:
    """The line of the file that a message is about, on a terminal."""
    if not sys.stderr.isatty():
        return ()
    from orchestrator.cli.snippet import snippet  # noqa: PLC0415  # only when something is wrong

    return snippet(line)


def _bug(error: Exception) -> Broken:
    return Broken(f"internal error: {place_of(error)}: {error}")


def _trace(error: Exception) -> None:
    import traceback  # noqa: PLC0415  # only needed here

    for line in "".join(traceback.format_exception(error)).splitlines():
        tell(line)
