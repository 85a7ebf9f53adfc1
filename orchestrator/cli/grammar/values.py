"""The values of options: one function for each kind, which the parser calls with the word.

Imports nothing that a mistake would wait for.
"""

from __future__ import annotations

from orchestrator.host import readable

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: The outcomes of targets, as the report has them.
OUTCOMES = (
    "succeeded",
    "accepted",
    "partial",
    "already",
    "rejected",
    "failed",
    "mismatch",
    "deferred",
    "skipped",
    "not_started",
)


#: Exit codes that a launcher may be made to take for success: not 0, which is one, and neither mistakes nor bugs.
_CODES = ("1", "3", "4", "5", "6", "7", "8")

#: So much of a wrong number is repeated.
_ECHO = 40


class WrongValue(Exception):
    """The word is no such value; the message says what is expected."""


def override(text: str) -> tuple[str, str]:
    """`KEY=VALUE`, as a pair."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise WrongValue(f"expected KEY=VALUE such as limits.in_flight=5, got {text!r}")
    return key, readable(value)


def outcomes(text: str) -> frozenset[str]:
    """Names of outcomes, with commas between them."""
    named = frozenset(text.split(","))
    wrong = sorted(named.difference(OUTCOMES))
    if wrong and wrong[0] in _UNDECIDED:
        raise WrongValue(
            f"{wrong[0]} is no outcome yet: what became of such a proxy is still open. The next run looks for it; when"
            " `status` leaves it to a person: orchestrator settle PLAN PROXY_ID --outcome OUTCOME --note TEXT"
        )
    if wrong:
        raise WrongValue(unknown(wrong[0], OUTCOMES))
    return named


#: Where a proxy stands whose end nobody knows.
_UNDECIDED = ("in_doubt", "timed_out", "in_flight")

#: What other programs call it.
_ELSEWHERE = {
    "apply": "run",
    "upgrade": "run",
    "start": "run",
    "resume": "release",
    "unhold": "release",
    "approve": "release",
    "pause": "hold",
    "stop": "hold",
    "suspend": "hold",
    "preview": "plan",
    "diff": "plan",
    "validate": "plan",
    "check": "doctor",
    "ls": "status",
    "list": "status",
    "show": "status",
    "get": "status",
    "watch": "status",
    "history": "runs",
    "discover": "init",
}


def unknown(word: str, known: Sequence[str]) -> str:
    """What to say of a word that is none of the known ones."""
    from orchestrator.spoken import nearest  # noqa: PLC0415  # only when something is wrong

    meant = _ELSEWHERE.get(word)
    near = meant if meant in known else nearest(word, list(known))
    return f"there is no {cut(word)!r}; " + (f"did you mean {near}?" if near else f"there are {', '.join(known)}")


def codes(text: str) -> frozenset[int]:
    """Exit codes that are to count as success, with commas between them."""
    named = frozenset(text.split(","))
    wrong = sorted(named.difference(_CODES))
    if wrong:
        raise WrongValue(f"expected some of {', '.join(_CODES)}, got {cut(wrong[0])!r}")
    return frozenset(map(int, named))


def note(text: str) -> str:
    """Why a person does something; never empty."""
    if not text.strip():
        raise WrongValue("is empty; say why")
    return readable(text)


def path(text: str) -> Path:
    """A path; its bytes stay as they are."""
    from pathlib import Path  # noqa: PLC0415  # not needed for `--help`

    return Path(file_name(text))


def state(text: str) -> Path | str:
    """A folder, or the address of a database as it stands there."""
    from orchestrator.tracker.postgres.address import names_database  # noqa: PLC0415  # as above

    return text if names_database(text) else path(text)


def file_name(text: str) -> str:
    """The name of a file or folder; its bytes stay as they are."""
    import os  # noqa: PLC0415  # as above

    try:
        usable = bool(text) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise WrongValue(f"expected the name of a file or folder, got {text!r}")
    return text


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text) if text.isascii() and "_" not in text else float("nan")
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise WrongValue(f"expected a number from {least:,} to {most:,}, got {cut(text)!r}")
    return number


def _whole(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and int(text) <= most):
        raise WrongValue(f"expected a whole number from 0 to {most:,}, got {cut(text)!r}")
    return int(text)


def cut(text: str) -> str:
    """So much of it as is repeated in a message."""
    return text if len(text) <= _ECHO else text[:_ECHO] + "…"


def speed(text: str) -> float:
    """What durations are divided by."""
    return _number(text, 0.001, 1_000_000)


def seed(text: str) -> int:
    """The seed of all chance."""
    return _whole(text, 2**63 - 1)


def port(text: str) -> int:
    """A port; 0 for any."""
    return _whole(text, 65_535)


def count(text: str) -> int:
    """A number of things."""
    return _whole(text, 100_000)
