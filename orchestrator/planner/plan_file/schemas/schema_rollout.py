"""Declaration of how a run goes: waves, limits, failures, windows, following, retrying, HTTP."""

from typing import get_args

from orchestrator.model.plan.plan import (
    Capacity,
    FailureKind,
    Failures,
    Follow,
    Freeze,
    Http,
    Limits,
    Retry,
    Wave,
    Window,
)
from orchestrator.planner.plan_file.names import DATE, DAY, NAME, TEXT, TIME, TIMEZONE, word
from orchestrator.planner.plan_file.numbers import RATE, SWITCH, amount, duration, integer, written_duration
from orchestrator.planner.plan_file.schemas.schema_targets import LABEL_NAME, SELECTOR, label_name
from orchestrator.planner.reading.mapping import Field, Found, Record
from orchestrator.planner.reading.shapes import ListOf, MapOf, Words

_BUDGET = amount(least=0)

WAVE = Record(
    build=Wave,
    fields=(
        Field(key="name", shape=NAME, doc="Name of the wave.", required=True, example="canary"),
        Field(
            key="size",
            shape=amount(least=1),
            doc="How many targets are really sent, as a number or a percentage of all targets (rounded down, at least "
            "1); all that are left when absent.",
            example="10%",
            mistaken=("count", "number", "percent", "percentage", "targets"),
        ),
        Field(key="select", shape=SELECTOR, doc="Which targets may be in it; any when absent."),
        Field(
            key="soak",
            attr="soak_s",
            shape=duration(),
            doc="Wait after its end, before the next wave.",
            default="0s",
            mistaken=("delay", "pause", "wait", "sleep"),
        ),
        Field(key="max_failures", shape=_BUDGET, doc="Failure budget of this wave alone."),
        Field(key="max_rejected", shape=_BUDGET, doc="The same for rejected targets."),
        Field(key="approve", shape=SWITCH, doc="Hold before this wave until a person releases it.", default=False),
    ),
)
WAVES = ListOf(item=WAVE, least=1)

LIMITS = Record(
    build=Limits,
    fields=(
        Field(
            key="concurrency",
            shape=integer(1, 10_000),
            doc="upgrade-version calls under way at once, over the whole run.",
            default=10,
        ),
        Field(
            key="rate",
            shape=RATE,
            doc="Calls of any kind per scope; scopes with the same endpoint and credentials share one.",
            default="2/s",
        ),
        Field(
            key="in_flight",
            shape=amount(least=1),
            doc="Targets whose upgrade may be under way at once, over the whole run (a percentage rounds down, at "
            "least 1).",
            default=10,
            mistaken=("parallel", "parallelism", "max_in_flight", "forks"),
        ),
        Field(key="per_instance", shape=integer(1, 100), doc="Of these, on one DB instance.", default=1),
        Field(
            key="per_label",
            shape=MapOf(item=integer(1, 100_000), name=label_name, names=LABEL_NAME),
            doc="Of these, with the same value of a label.",
            example={"app": 1},
        ),
        Field(
            key="per_window",
            shape=integer(1, 10_000_000),
            doc="Attempts in one window, over all sessions of the run; without windows, on one day of this host's "
            "time zone.",
            example=200,
            mistaken=("max_per_window", "per_night", "per_day"),
        ),
        Field(
            key="ramp",
            shape=SWITCH,
            doc="After the canary, grow 1, 2, 4, 8 … to in_flight on success.",
            default=True,
        ),
    ),
)

CAPACITY = Words(
    words={"off": None, "false": None},
    other=Record(
        build=Capacity,
        fields=(
            Field(
                key="subnet_reserve",
                shape=integer(0, 10_000),
                doc="Addresses of each subnet that upgrades leave free.",
                default=2,
            ),
        ),
    ),
    otherwise="keys such as subnet_reserve",
)

_FAILURES = Failures()

FAILURES = Record(
    build=Failures,
    fields=(
        Field(
            key="max",
            shape=_BUDGET,
            doc="Failure budget; more failures than this hold the fleet. A percentage is taken of the targets not yet "
            "known to be already or skipped (rounded down).",
            default="1%",
        ),
        Field(
            key="counts",
            shape=ListOf(item=word(*get_args(FailureKind)), least=1, unique=True),
            doc="Which outcomes count as failures.",
            default=list(_FAILURES.counts),
        ),
        Field(
            key="mode",
            shape=word("strict", "soft"),
            doc="strict: failures and targets in flight together never above max + 1; soft: no such bound.",
            default="strict",
        ),
        Field(key="max_rejected", shape=_BUDGET, doc="The same budget for rejected targets.", default="10%"),
        Field(
            key="new_reject",
            shape=word("continue", "hold"),
            doc="hold: a REJECT reason never seen before holds the fleet.",
            default="continue",
        ),
    ),
)


def _make_window(**values: object) -> Window:
    if days := values.get("days"):
        values["days"] = tuple(sorted(days))  # type: ignore[call-overload]  # a tuple of weekdays
    return Window(**values)  # type: ignore[arg-type]  # typed by the declaration below


_WINDOW = Record(
    build=_make_window,
    fields=(
        Field(key="days", shape=ListOf(item=DAY, least=1, unique=True), doc="Days on which it opens; all when absent."),
        Field(key="from", attr="opens", shape=TIME, doc="When it opens.", required=True, example="22:00"),
        Field(key="to", attr="closes", shape=TIME, doc="When it closes.", required=True, example="05:00"),
        Field(key="timezone", shape=TIMEZONE, doc="Its time zone.", required=True, example="Asia/Shanghai"),
    ),
)
WINDOWS = Words(words={"always": (), "instance": "instance"}, other=ListOf(item=_WINDOW, least=1))


def _check_freeze(found: Found) -> None:
    start, end = found.values.get("start"), found.values.get("end")
    if start and end and end < start:
        found.add("to", f"is before from ({start})")


_FREEZE = Record(
    build=Freeze,
    check=_check_freeze,
    fields=(
        Field(key="from", attr="start", shape=DATE, doc="First day.", required=True, example="2026-12-20"),
        Field(key="to", attr="end", shape=DATE, doc="Last day, included.", required=True, example="2027-01-04"),
        Field(key="timezone", shape=TIMEZONE, doc="Whose days.", required=True, example="Asia/Shanghai"),
    ),
)
FREEZES = ListOf(item=_FREEZE)


def _check_follow(found: Found) -> None:
    default = Follow()
    timeout_s = found.values.get("timeout_s", default.timeout_s)
    expected_s = found.values.get("expected_s", default.expected_s)
    if expected_s > timeout_s:
        key = "expected" if "expected" in found.places else "timeout"
        lengths = f"expected ({written_duration(expected_s)}) is above timeout ({written_duration(timeout_s)})"
        found.add(key, f"{lengths}; an upgrade that takes as long as expected would time out")


FOLLOW = Record(
    build=Follow,
    check=_check_follow,
    fields=(
        Field(
            key="to",
            shape=word("accepted", "completed", "verified"),
            doc="How far an accepted upgrade is followed.",
            default="verified",
        ),
        Field(key="poll", attr="poll_s", shape=duration("10ms", "1h"), doc="Shortest gap of looks.", default="15s"),
        Field(
            key="timeout",
            attr="timeout_s",
            shape=duration("1s", "7d"),
            doc="After this the target is timed_out: still open, looked at ever more sparsely.",
            default="60m",
        ),
        Field(
            key="expected",
            attr="expected_s",
            shape=duration("10ms", "7d"),
            doc="How long an upgrade should take, until durations have been seen.",
            default="10m",
        ),
        Field(
            key="verify_for",
            attr="verify_for_s",
            shape=duration("0s", "1d"),
            doc="How long a finished upgrade is re-read until version and health are right.",
            default="5m",
        ),
    ),
)


def _check_retry(found: Found) -> None:
    default = Retry()
    backoff_s = found.values.get("backoff_s", default.backoff_s)
    most_s = found.values.get("max_backoff_s", default.max_backoff_s)
    if backoff_s > most_s:
        key = "backoff" if "backoff" in found.places else "max_backoff"
        found.add(key, f"backoff ({written_duration(backoff_s)}) is above max_backoff ({written_duration(most_s)})")


RETRY = Record(
    build=Retry,
    check=_check_retry,
    fields=(
        Field(key="attempts", shape=integer(1, 100), doc="Attempts of a target, and tries of a read.", default=5),
        Field(key="backoff", attr="backoff_s", shape=duration("1ms", "1h"), doc="First wait.", default="1s"),
        Field(key="max_backoff", attr="max_backoff_s", shape=duration("1ms", "1d"), doc="Longest wait.", default="60s"),
        Field(
            key="busy",
            attr="busy_s",
            shape=duration("10ms", "1d"),
            doc="First wait for a busy instance; then 2, 5, 10 times as long.",
            default="1m",
        ),
        Field(key="busy_for", attr="busy_for_s", shape=duration(), doc="After this: deferred.", default="2h"),
        Field(
            key="resend_after",
            attr="resend_after_s",
            shape=duration(),
            doc="How long a doubtful attempt is looked for before it may be sent again.",
            default="15m",
        ),
    ),
)

HTTP = Record(
    build=Http,
    fields=(
        Field(
            key="connect_timeout",
            attr="connect_timeout_s",
            shape=duration("10ms", "10m"),
            doc="For a connection to open.",
            default="5s",
        ),
        Field(
            key="timeout",
            attr="timeout_s",
            shape=duration("10ms", "10m"),
            doc="For a whole call.",
            default="30s",
        ),
        Field(key="ca_file", shape=TEXT, doc="Certificates to trust, in PEM."),
        Field(key="allow_http", shape=SWITCH, doc="Allow plain http beyond this machine.", default=False),
    ),
)
