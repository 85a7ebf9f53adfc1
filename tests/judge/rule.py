"""What the judge finds, and the rules by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Rule(StrEnum):
    """A promise. A test breaks each of them, and the judge must notice."""

    ONCE = "each proxy is started at most once"
    DISPROVED = "only what never began is disproved"
    FOUND = "every start is in the report, by its workflow_id or by the statement that it is not known"
    TRUE = "no outcome claims what did not happen"
    SEEN = "no record claims what the cloud did not show"
    INTENT = "an intent is on disk before its call is sent, and every intent is its own"
    ANSWER = "an answer that came is in the journal, word for word"
    CAPS = "limits on what is in flight"
    BUDGET = "no start beyond a failure budget"
    WAVES = "waves in their order"
    HOLD = "no start under a hold"
    TIME = "no start outside window, session bound, stop, or with a stale preflight"
    PACE = "rate and concurrency"
    FOLD = "the journal folds to the live state"
    REPORT = "the report adds up, and says what the journal says"
    HARM = "what is wrong with one target harms no other"
    SECRET = "no secret is in any byte on disk"
    ENDS = "processes end when nothing is left to do, and say why; nothing is given up too soon"


@dataclass(frozen=True)
class Violation:
    """A broken promise."""

    rule: Rule
    what: str

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.what}"


Found: TypeAlias = Iterator[Violation]
