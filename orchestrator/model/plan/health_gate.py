"""Gates: questions about the health of the applications, asked before upgrades start.

What a plan says of one, and what an answer was. A gate closes and opens by itself; a hold needs a person.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from orchestrator.model.plan.selection import Selector

GatePoint: TypeAlias = Literal["start", "wave"]
GateAnswer: TypeAlias = Literal["passes", "fails", "error"]

#: So much of what was answered is kept as evidence.
EVIDENCE_CHARS = 500


class HttpQuestion(Struct, frozen=True, kw_only=True):
    """A GET that passes when the status is one of `expect`. `token_env`: names the variable with a bearer token."""

    url: str
    expect: tuple[int, ...] = (200,)
    token_env: str | None = None


class PromqlQuestion(Struct, frozen=True, kw_only=True):
    """An instant query to a Prometheus server: every sample must keep the bounds, and there must be one.

    Attributes:
        url: of the server, without `/api/v1/query`.
        max: a sample above it fails; None for no such bound.
        min: a sample below it fails.
    """

    url: str
    query: str
    max: float | None = None
    min: float | None = None
    token_env: str | None = None


class MetricBound(Struct, frozen=True):
    """A number in the unit of a metric; with `percent`, a share of what the metric was before."""

    value: float
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.value:g}{'%' if self.percent else ''}"


class EyeQuestion(Struct, frozen=True, kw_only=True):
    """A metric of the proxies that were upgraded in this run, as Cloud Eye has it.

    Attributes:
        metric: its name there.
        max: what it must not exceed; with `compare`, how much more it may have grown than elsewhere.
        min: the same downwards.
        over_s: the last minutes, of which the median counts.
        compare: `control`: with the proxies that were not upgraded yet, in the same minutes.
    """

    metric: str
    max: MetricBound | None = None
    min: MetricBound | None = None
    over_s: float = 300.0
    compare: Literal["control"] | None = None


class HealthGate(Struct, frozen=True, kw_only=True):
    """One gate. Exactly one of `http`, `command`, `promql` and `cloud_eye` is set.

    Attributes:
        at: `start`: before a target of `select` starts; `wave`: before each wave but the first opens.
        select: the targets that it concerns; None for all.
        every_s: how long after a question the next one is asked, while it matters.
        passes: answers in a row that open it when it is closed.
        on_error: what it is when no answer can be had.
        hold_after_s: closed for so long, it holds the fleet; None for never.
    """

    name: str
    at: tuple[GatePoint, ...] = ("start",)
    http: HttpQuestion | None = None
    command: tuple[str, ...] | None = None
    promql: PromqlQuestion | None = None
    cloud_eye: EyeQuestion | None = None
    select: Selector | None = None
    every_s: float = 30.0
    timeout_s: float = 10.0
    passes: int = 2
    on_error: Literal["closed", "open"] = "closed"
    hold_after_s: float | None = None

    @property
    def fresh_s(self) -> float:
        """How old an answer may be that counts."""
        return self.every_s + self.timeout_s

    def is_good(self, answer: GateAnswer) -> bool:
        """Whether an answer speaks for starting."""
        return answer == "passes" or (answer == "error" and self.on_error == "open")


class GateFinding(Struct, frozen=True, kw_only=True):
    """What came of one question.

    Attributes:
        status: of HTTP, or the exit status of a command; None when there was none.
        value: the sample that was furthest off; None without one.
        evidence: what was said, cut; or why no answer came.
        age_s: how old the answer was when it came.
    """

    answer: GateAnswer
    status: int | None = None
    value: float | None = None
    evidence: str = ""
    age_s: float = 0.0


class GateQuestion(Struct, frozen=True, kw_only=True):
    """What a gate is told when it is asked: a command reads it as JSON on its standard input."""

    gate: str
    fleet: str
    run_id: str
    wave: str | None
    target_version: str
    upgraded: int
    waiting: int
