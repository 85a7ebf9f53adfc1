"""A reader of standard error who stops reading holds nobody up, and gets the rest when he reads again."""

import os
import subprocess
import sys
import termios
from pathlib import Path

#: A net for what hangs.
PATIENCE_S = 120.0

TALK = """
import sys
from orchestrator.cli import streams
from orchestrator.cli.streams import last_word, patient_streams
streams._PATIENCE_MS = int(sys.argv[2])
stdout = patient_streams()
for number in range(int(sys.argv[1])):
    print(f"{number:>99}", file=sys.stderr)
print("went on", flush=True)
sys.exit(last_word(3, stdout, only_prints=False))
"""


def talk(lines: int, stderr: int, patience_s: float = PATIENCE_S) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", TALK, str(lines), f"{patience_s * 1000:.0f}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)


def test_a_full_pipe_holds_nothing_up() -> None:
    reading, writing = os.pipe()
    process = talk(15_000, writing, patience_s=0.1)
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert (stdout, process.returncode) == ("went on\n", 3)
    os.close(reading)
    os.close(writing)


def test_a_terminal_that_was_stopped_holds_nothing_up() -> None:
    main, terminal = os.openpty()
    termios.tcflow(terminal, termios.TCOOFF)
    process = talk(15_000, terminal, patience_s=0.1)
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert (stdout, process.returncode) == ("went on\n", 3)
    os.close(main)
    os.close(terminal)


def test_a_late_reader_gets_every_line_that_was_kept() -> None:
    reading, writing = os.pipe()
    process = talk(5_000, writing)
    os.close(writing)
    assert process.stdout is not None
    assert process.stdout.readline() == "went on\n"
    lines = Path(f"/proc/self/fd/{reading}").read_text(encoding="ascii").splitlines()
    assert [int(line) for line in lines] == list(range(5_000))
    process.communicate(timeout=PATIENCE_S)
    os.close(reading)


def test_the_number_of_lines_left_out_is_reported() -> None:
    reading, writing = os.pipe()
    process = talk(15_000, writing)
    os.close(writing)
    assert process.stdout is not None
    assert process.stdout.readline() == "went on\n"
    *lines, last = Path(f"/proc/self/fd/{reading}").read_text(encoding="ascii").splitlines()
    assert [int(line) for line in lines] == list(range(len(lines)))
    assert last == f"orchestrator: warning: nobody read here, {15_000 - len(lines)} lines were left out"
    process.communicate(timeout=PATIENCE_S)
    os.close(reading)
