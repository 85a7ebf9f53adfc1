"""A command line in the process of the test: the same words and exit code without the start of an interpreter.

For what is said. Whatever is about signals, streams, deaths or sessions needs a process of its own: `fakes.e2e`.
"""

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fakes.e2e import Desk
from fakes.processes import Ended

from orchestrator.cli.main import main

#: These send nothing, and are over when they have said or written it; so is a `run` that only says what it would do.
_SAYS = frozenset({"plan", "status", "runs", "report", "hold", "release", "settle", "claim"})


@dataclass
class DeskHere(Desk):
    """A desk that has its questions answered in this process; a session still is a process of its own."""

    def cli(self, *arguments: str | Path, environ: Mapping[str, str] | None = None, **options: Any) -> Ended:
        """As `Desk.cli`."""
        words = [str(self.plan) if word == "PLAN" else str(word) for word in arguments]
        if options or not (words[0] in _SAYS or "--dry-run" in words):
            return super().cli(*arguments, environ=environ, **options)
        ended = _said(words, {**self.base_environ(), **self.environ, **(environ or {})}, self.folder)
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended


def _said(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> Ended:
    out, err = _stream(), _stream()
    with patch.dict(os.environ, environ, clear=True), chdir(folder), redirect_stdout(out), redirect_stderr(err):
        code = main(list(words))
    return Ended(code, _text(out), _text(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
