"""How this program's parsers differ from those of `argparse`: their values, their words for mistakes, their help."""

from __future__ import annotations

import argparse
import sys

from orchestrator.cli.grammar import values
from orchestrator.cli.grammar.command_line import help_text, mistake
from orchestrator.host import readable
from orchestrator.plain import plain

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from typing import Any


#: Of the text of `--help`: two columns are left free on a terminal of 80.
_WIDTH = 78


class Parser(argparse.ArgumentParser):
    """Makes every word text that can be written, unless it is a path; prints errors with a hint, and exits with 2."""

    verbs: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register("type", None, readable)  # of each argument that names no type of its own

    def error(self, message: str) -> Any:
        """Say what is wrong, and leave with 2."""
        self.exit(2, mistake(plain(message), self.prog))

    def _get_formatter(self) -> argparse.HelpFormatter:
        """As wide as the text that `make words` writes: to ask the terminal brings `shutil` along, with compression."""
        return argparse.RawDescriptionHelpFormatter(self.prog, width=_WIDTH)

    def print_help(self, file: Any = None) -> None:
        """Print the text that `make words` has written."""
        self._print_message(help_text(self.prog), file or sys.stdout)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(action, values.unknown(str(value), known))

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except values.WrongValue as error:
            raise argparse.ArgumentError(action, str(error)) from None


class VerbParser(Parser):
    """Takes options between the words of a verb too; argparse alone has an optional word follow at once."""

    _mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what is known, and return the rest too."""
        if self._mixing:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        self.usage = self.prog  # it is never shown, and else put together here from all options, for 2 ms
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False
