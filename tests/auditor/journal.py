"""What the journal of a run says, line by line. Plain JSON: nothing of the program is used."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

Line: TypeAlias = dict[str, Any]

#: Bytes of `,"crc":"xxxxxxxx"}`.
_TAIL = 18

#: Answers that say that nothing was executed; the second ones also when an earlier attempt was in doubt.
_NOT_EXECUTED = frozenset({"not_sent", "throttled", "unauthenticated", "busy"})
_NOT_EXECUTED_FOR_SURE = _NOT_EXECUTED - {"busy"}


@dataclass
class Book:
    """The lines of a journal, and those of each target."""

    lines: list[Line]
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.of: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line["target"] is not None:
                self.of[line["target"]].append(line)

    def named(self, *names: str) -> list[Line]:
        """The lines of some records, in order."""
        return [line for line in self.lines if line["record"] in names]

    def last(self, *names: str) -> Line | None:
        """The last line of some records."""
        return next(reversed(self.named(*names)), None)


def read_book(path: Path) -> Book:
    """Every line that is as it was written; what is wrong with the others. A torn last line is left out."""
    lines, problems = [], []
    for number, content in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        problem, line = _line(number, content)
        if problem is not None:
            problems.append(f"line {number}: {problem}")
        else:
            lines.append(line)
    return Book(lines, problems)


def _line(number: int, content: bytes) -> tuple[str | None, Line]:
    head = content[:-_TAIL]
    if content[-_TAIL:] != b',"crc":"%08x"}' % crc32(head):
        return "the checksum does not match", {}
    line: Line = json.loads(content)
    return (None if line["seq"] == number else f"its number is {line['seq']}"), line


def journal_problems(book: Book) -> Iterator[str]:
    """What the journal says against the promises, by itself."""
    yield from book.problems
    if [line["seq"] for line in book.named("run_started")] != [1]:
        yield "the start of the run is not its first line, and nothing else"
    tokens = [line["token"] for line in book.named("intent")]
    if len(set(tokens)) != len(tokens):
        yield "a token was used twice"
    for proxy_id, lines in book.of.items():
        for problem in _story_problems(lines):
            yield f"{proxy_id}: {problem}"


def _story_problems(lines: list[Line]) -> Iterator[str]:
    """Attempts are numbered, answered once, and each but the first follows proof that nothing had begun."""
    intents = [place for place, line in enumerate(lines) if line["record"] == "intent"]
    if [lines[place]["attempt"] for place in intents] != list(range(1, len(intents) + 1)):
        yield "its attempts are not numbered one by one"
    for second in intents[1:]:
        if not may_be_sent_again(lines[:second]):
            yield f"attempt {lines[second]['attempt']} was sent, and nothing shows that the one before did not begin"
    seen: set[int] = set()
    for line in lines:
        if line["record"] == "answer_seen":
            if line["attempt"] in seen or not any(lines[at]["attempt"] == line["attempt"] for at in intents):
                yield f"an answer to attempt {line['attempt']} that was not sent, or was answered before"
            seen.add(line["attempt"])
    if any(line["record"] == "settled" for line in lines[: intents[-1] if intents else 0]):
        yield "it was sent after it was settled"


def may_be_sent_again(lines: list[Line]) -> bool:
    """Whether the lines of a target show that nothing of its latest attempt began, or that a person said so."""
    doubt = allowed = answered = False
    for line in lines:
        match line["record"]:
            case "intent":
                allowed = answered = False
            case "answer_missing" if answered:
                pass  # it came in between, from a host that was replaced
            case "answer_missing" | "doubt_renewed":
                doubt, allowed = True, False
            case "answer_seen":
                answered = True
                doubt = doubt or line["verdict"] == "in_doubt"
                allowed = line["verdict"] in (_NOT_EXECUTED_FOR_SURE if doubt else _NOT_EXECUTED)
            case "attempt_disproved":
                allowed = True
            case "returned_to_waiting":
                doubt, allowed = False, True
            case _:
                pass
    return allowed


def trouble_in(failed: Line) -> str:
    """What failed, with what the machine did not give, if that was it."""
    return f"{failed['host']} ({failed['error']})" if failed.get("host") else str(failed["error"])


def nos_in(answer: Line) -> Iterator[tuple[str, str | None]]:
    """Every no in the line of an answer, word for word, with its error code."""
    for entry in answer["update_result"]:
        if (entry["state"] or "").strip().upper() == "REJECT":
            yield entry["error_message"] or "REJECT without a reason", None
    if answer["verdict"] == "refused":
        yield answer["error_msg"] or answer["reason"] or "refused", answer["error_code"]
