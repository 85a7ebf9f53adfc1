"""What the machine does not give is told as that, in words that help, and never as a bug of this program."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator import errors
from orchestrator.errors import (
    Broken,
    ExitCode,
    HostError,
    OrchestratorError,
    PlanError,
    for_people,
    host_error,
    place_of,
)

BUGS = [KeyError("x"), RuntimeError("no such thing"), ConnectionResetError(errno.ECONNRESET, "reset"), OSError("odd")]


def gone() -> OSError:
    """What `getcwd` raises in a folder that was removed; no other error of the kind names no file."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


@pytest.mark.parametrize(
    ("error", "says", "hint"),
    [
        (MemoryError(), "no more memory or threads", "ulimit -v"),
        (RuntimeError("can't start new thread"), "no more memory or threads", "ulimit -u"),
        (ImportError("libx.so: failed to map segment from shared object"), "no more memory", "ulimit -v"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "no more memory", "ulimit -v"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "temporarily unavailable", "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files", "ulimit -n"),
        (OSError(errno.ENFILE, "Too many open files in system", "/a"), "Too many open files", "fs.file-max"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/x/y"), "/x/y: Is a directory", "start again"),
        (gone(), "the working folder of this process is gone", "cd"),
    ],
)
def test_what_the_machine_does_not_give_is_said_with_a_remedy(error: Exception, says: str, hint: str) -> None:
    found = for_people(ExceptionGroup("unhandled errors", [KeyError("x"), error]))
    assert isinstance(found, HostError)
    assert found.exit_code is ExitCode.STATE_UNUSABLE
    assert says in str(found)
    assert hint in str(found.hint)


@pytest.mark.parametrize("error", BUGS, ids=repr)
def test_a_bug_stays_a_bug(error: Exception) -> None:
    assert host_error(error) is None
    assert isinstance(for_people(error), Broken)


def test_an_error_with_words_of_its_own_goes_before_one_of_the_machine() -> None:
    spoken: OrchestratorError = PlanError("the plan is wrong")
    assert for_people(ExceptionGroup("unhandled errors", [spoken, MemoryError()])) is spoken


def test_the_system_itself_says_so_of_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        Path("plan.yaml").absolute()
    assert str(host_error(raised.value)) == str(host_error(gone()))


def called(file: Path, error: Exception, after: Callable[[], None] | None = None) -> Callable[[], None]:
    """A function of a file that calls another one, or raises the error."""
    names: dict[str, Any] = {"error": error, "after": after}
    exec(compile("def call():\n    after() if after else None\n    raise error", str(file), "exec"), names)  # noqa: S102  # a file of any name, with a line that raises
    call: Callable[[], None] = names["call"]
    return call


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["executor/dispatch.py"], "KeyError at executor/dispatch.py:3"),
        (["executor/dispatch.py", "cloud/client.py"], "KeyError at cloud/client.py:3"),
        (
            ["executor/dispatch.py", "/lib/python/aiohttp/client.py", "/lib/python/aiohttp/reader.py"],
            "KeyError at executor/dispatch.py:2, raised in aiohttp/reader.py:3",
        ),
        (["/lib/python/aiohttp/reader.py"], "KeyError in aiohttp/reader.py:3"),
    ],
)
def test_the_place_of_a_bug_is_our_line_and_the_one_in_a_library_that_it_called(files: list[str], says: str) -> None:
    call, error = None, KeyError("secret")
    for file in reversed(files):
        call = called(Path(errors.__file__).parent / file, error, call)
    assert call is not None
    with pytest.raises(KeyError) as raised:
        call()
    trace = raised.value.__traceback__
    assert trace is not None
    assert place_of(raised.value.with_traceback(trace.tb_next)) == says
    assert place_of(ExceptionGroup("unhandled", [raised.value])) == says
