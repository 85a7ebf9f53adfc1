"""What a run and a target wait for, in each state that a fleet can be in; and the page that lists them all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

import pytest
from fakes.clock import START
from fakes.documents import read, rows, section
from fakes.stage import fold_all, plan_of, targets_of
from msgspec import structs

from orchestrator.app.status.fleet_status import bound_lines
from orchestrator.app.status.one_proxy.target_line import target_lines, target_next
from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.what_next.last_line import fleet_line, last_step
from orchestrator.app.status.what_next.steps import STEPS, Step, step_words
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.executor.decide.what_waits import fleet_wait
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.commands import Command, HoldCommand, ReleaseCommand
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.plan import Failures, Freeze, Limits, Scope, Wave, Window
from orchestrator.model.plan.target import Facts
from orchestrator.model.record import record as r
from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.cloud_event import CloudEvent

TARGETS = targets_of(4, per_instance=2)
MINE, NEIGHBOUR, FAR, LAST = TARGETS
SOON = START + timedelta(minutes=10)
BEGAN = r.SessionStarted(at=START, number=1, pid=1, host="h", orchestrator_version="1")
REACHED = r.ScopeOpened(at=START, scope="default")
OPEN = r.WaveOpened(at=START, wave="one")
ONE = {"waves": (Wave(name="one"),)}
TWO = {"waves": (Wave(name="one", size=Amount(1), soak_s=600.0), Wave(name="two", approve=True))}
SOFT = Failures(max=Amount(100, percent=True), mode="soft")
NIGHT = Window(opens=60, closes=120, timezone="UTC")
PLAN = "/plans/fleet.yaml"
PAGE = read("docs/status.md")


def sent(target: Any) -> r.Intent:
    return r.Intent(
        at=START, target=target.proxy_id, attempt=1, wave="one", token="t", source_version="1", target_version="2"
    )


def doubted(target: Any) -> r.AnswerSeen:
    return r.AnswerSeen(at=START, target=target.proxy_id, attempt=1, verdict="in_doubt")


def remains(target: Any) -> r.DoubtRemains:
    return r.DoubtRemains(at=START, target=target.proxy_id, attempt=1, why="no trace")


def settled(target: Any, outcome: Outcome = Outcome.SUCCEEDED) -> r.Settled:
    return r.Settled(at=START, target=target.proxy_id, attempt=1, outcome=outcome, wave="one")


BOUNDED = structs.replace(BEGAN, ends_at=START)
UNTIL = structs.replace(BEGAN, until=START)
BARRED = structs.replace(BEGAN, barred=Wait(Cause.CHANGED, ("waves",)).noted)
HELD = r.HoldSet(at=START, cause="person", reason="incident 4711", by="ann", host="desk")
SOAKS = r.WaveSoaking(at=START, wave="one", until=SOON)
THROTTLED = r.ScopeThrottled(at=START, scope="default", until=SOON, why="429")
PAUSED = r.ScopePaused(at=START, scope="default", why="no route")
SILENT = r.ScopeSilent(at=SOON, scope="default", why="timed out", since=START)
GIVEN_UP = r.ScopeGivenUp(at=START, scope="default", why="401")
UNSERVED = structs.replace(GIVEN_UP, hosts=("sh-*", "bj-1"))
HEARD = r.ScopeHeard(at=SOON, scope="default")
OVERDUE = tuple(structs.replace(each, at=START - timedelta(hours=1)) for each in (sent(FAR), doubted(FAR)))
ON_INSTANCE = f"per_instance 1 of instance {MINE.instance_id} (held by {NEIGHBOUR.proxy_id}: in_flight) is full; do"
POSTPONED = tuple(
    r.Postponed(at=START, target=each.proxy_id, wave="one", why="job 7 runs on it", until=SOON, busy=True)
    for each in TARGETS
)
APPROVED = ReleaseCommand(at=START, user="ann", host="desk", note="looked at it", wave="two")


@dataclass(frozen=True)
class Case:
    """A state of a fleet, and what the one line says in it.

    Attributes:
        asked: what persons asked for and no process has read.
        twist: what only a process knows of itself.
        of: whose line: of the fleet, or of the first target.
    """

    cause: Cause
    says: str
    records: tuple[r.Record, ...] = (OPEN,)
    plan: dict[str, Any] = field(default_factory=lambda: ONE)
    working: bool = False
    asked: tuple[Command, ...] = ()
    barred: Wait | None = None
    unseen: Wait | None = None
    twist: Callable[[Rollout], None] = lambda _rollout: None
    of: str = "fleet"

    def outlook(self) -> Outlook:
        plan = plan_of(TARGETS, **{"failures": SOFT, **self.plan})
        run = fold_all(plan, (BEGAN, REACHED, *self.records))
        asked = list(enumerate(self.asked, 1))
        seen = look(plan, run, asked, START, working=self.working, barred=self.barred, zone=UTC)
        self.twist(seen.rollout)
        return structs.replace(seen, unseen=self.unseen)

    def line(self) -> str:
        seen = self.outlook()
        if self.of == "fleet":
            return fleet_line(seen, PLAN)
        return next(iter(target_lines(seen, MINE.proxy_id, PLAN)))


def case(cause: Cause, says: str, *records: r.Record, plan: dict[str, Any] | None = None, **keys: Any) -> Case:
    return Case(cause, says, records or (OPEN,), {**ONE, **(plan or {})}, **keys)


def _breaks(rollout: Rollout) -> None:
    for target in TARGETS:
        wave = rollout.plan.waves[0].name
        rollout.queue.takes(wave, target)
        rollout.queue.peek(wave, START, scopes=["default"], blocked=lambda _target: None)
        rollout.queue.take(target_of(rollout))
        rollout.queue.begin(target, wave)
        rollout.queue.sit_out(target)
        rollout.broken.add(target.proxy_id)


def target_of(rollout: Rollout) -> Any:
    found = rollout.queue.peek("one", START, scopes=["default"], blocked=lambda _target: None)
    assert found is not None
    return found


CAPPED = {"limits": Limits(in_flight=Amount(1))}
RAMPED = {"limits": Limits(in_flight=Amount(9), ramp=True)}
STRICT = {"failures": Failures(max=Amount(0)), "limits": Limits(ramp=False)}
LABELS = {"limits": Limits(per_label={"app": 1}, ramp=False, per_instance=9)}
GATED = {"gates": (HealthGate(name="orders", command=("check",)),)}
EVENT = CloudEvent(instance_id=TARGETS[0].instance_id, what="db_upgrade", starts=START, ends=START + timedelta(hours=1))
IN_SUBNET = {"proxies": tuple(structs.replace(each, facts=Facts(subnet="s")) for each in TARGETS)}
SHUT = GateAnswered(at=START, gate="orders", answer="fails", open=False, status=503, evidence="HTTP 503")
CASES = [
    case(Cause.HOLD, "to release the fleet: incident 4711 (held by ann@desk); 4 targets wait; do: look", HELD),
    case(Cause.HOLD, "incident 4711 (held by ann@desk); do: look at the cause", HELD, of="target"),
    case(
        Cause.HOLD,
        "to release the fleet: stop (held by bob)",
        asked=(HoldCommand(at=START, user="bob", note="stop"),),
    ),
    case(
        Cause.HOLD,
        "1 failure, 0 allowed for the fleet",
        OPEN,
        sent(FAR),
        settled(FAR, Outcome.FAILED),
        plan={"failures": Failures(max=Amount(0))},
    ),
    case(
        Cause.APPROVAL,
        f'approval of wave two; 4 targets wait; do: orchestrator release {PLAN} two --note "why" && orchestrator run',
        r.HoldSet(at=START, cause="approval", reason="x", wave="two"),
        plan=TWO,
    ),
    case(Cause.APPROVAL, "approval of wave two", r.WaveDone(at=START, wave="one"), plan=TWO, of="target"),
    case(
        Cause.RELEASED,
        f"the next start: wave two approved by ann@desk: looked at it; 4 targets wait; do: orchestrator run {PLAN}",
        r.WaveDone(at=START, wave="one"),
        r.HoldSet(at=START, cause="approval", reason="x", wave="two"),
        plan=TWO,
        asked=(APPROVED,),
    ),
    case(
        Cause.CHANGED,
        "which needs --new: targets; 4 targets wait; do: put the plan back as it was, or orchestrator run",
        barred=Wait(Cause.CHANGED, ("targets",)),
    ),
    case(
        Cause.ELSEWHERE,
        "another fleet: proxy X is open in run R of fleet F; 4 targets wait; do: let the other fleet end what it began",
        barred=Wait(Cause.ELSEWHERE, ("proxy X is open in run R of fleet F",)),
    ),
    case(
        Cause.HOLD,
        "(held by ann@desk); after that the plan was changed, which needs --new: targets; 4 targets wait; "
        f'do: look at the cause, then orchestrator release {PLAN} --note "why"; then put the plan back as it was, or ',
        *(OPEN, HELD),
        barred=Wait(Cause.CHANGED, ("targets",)),
    ),
    case(
        Cause.HOLD,
        "incident 4711 (held by ann@desk); 4 targets wait; do: look",
        *(OPEN, HELD),
        barred=Wait(Cause.CHANGED, ("targets",)),
        working=True,
    ),
    case(
        Cause.HOLD,
        f'orchestrator release {PLAN} --note "why" && orchestrator run {PLAN}; then put the plan back as it was, or ',
        *(OPEN, sent(FAR), HELD),
        barred=Wait(Cause.CHANGED, ("targets",)),
    ),
    case(
        Cause.HOLD,
        f'orchestrator release {PLAN} --note "why"; then put the plan back as it was, or settle what is stuck, such as '
        f'with orchestrator settle {PLAN} {FAR.proxy_id} --outcome OUTCOME --note "why", then orchestrator run {PLAN} ',
        *(OPEN, sent(FAR), r.FollowTimedOut(at=START, target=FAR.proxy_id, attempt=1, why="no end"), HELD),
        barred=Wait(Cause.CHANGED, ("targets",)),
    ),
    case(
        Cause.UNSEEN,
        "the next start, unless discovery finds what fleet F has open in the same project; 4 targets wait; "
        f"do: see in orchestrator plan {PLAN} whether it does, then orchestrator run {PLAN}",
        unseen=Wait(Cause.UNSEEN, ("F",)),
    ),
    case(Cause.WINDOW, "window opens Mon 01:00 UTC", BEGAN, plan={"windows": (NIGHT,)}),
    case(Cause.CHANGED, "which needs --new: targets", BEGAN, barred=Wait(Cause.CHANGED, ("targets",))),
    case(
        Cause.CHANGED,
        "which needs --new: targets",
        *(r.WaveOpened(at=START, wave="one"), sent(FAR), settled(FAR), SOAKS),
        plan=TWO,
        barred=Wait(Cause.CHANGED, ("targets",)),
    ),
    case(Cause.SOAK, "the soak of wave one, in 10 min", OPEN, sent(FAR), settled(FAR), SOAKS, plan=TWO),
    case(Cause.SOAK, "the soak of wave one, in 10", OPEN, sent(FAR), settled(FAR), SOAKS, plan=TWO, of="target"),
    case(
        Cause.REACH,
        "every scope to be reached, before anything starts: default",
        r.SessionStarted(at=START, number=2, pid=1, host="h", orchestrator_version="1"),
        plan={"scopes_required": "all"},
        working=True,
    ),
    case(
        Cause.THROTTLED,
        "scope default: throttled by the cloud: 429; until 2026-03-01 22:10:00 UTC, in 10 min; 4 targets wait",
        OPEN,
        THROTTLED,
    ),
    case(Cause.THROTTLED, "scope default: throttled by the cloud: 429", OPEN, THROTTLED, of="target"),
    case(Cause.PAUSED, "it is back: no route, since 2026-03-01 22:00:00 UTC; 4 targets", OPEN, PAUSED, working=True),
    case(Cause.UNREACHED, "scope default: it has not been reached yet", BEGAN, OPEN, working=True),
    case(Cause.SILENT, "does not answer: timed out, since 2026-03-01 22:00:00 UTC; 4", OPEN, SILENT, working=True),
    case(Cause.SILENT, "and does not answer: timed out, since", OPEN, SILENT, working=True, of="target"),
    case(Cause.SILENT, "does not answer: timed out", OPEN, sent(FAR), SILENT, plan=CAPPED, working=True),
    case(Cause.LAST_SEEN, "which the last process could not use: no route, since 2", OPEN, PAUSED),
    case(Cause.LAST_SEEN, "the last process could not use: timed out, since 2026-03-01 22:00", OPEN, SILENT),
    case(Cause.LAST_SEEN, "the last process could not use: timed out, since", OPEN, SILENT, of="target"),
    case(Cause.TURN, "the next start; nothing stands in its way", OPEN, SILENT, HEARD),
    case(
        Cause.GIVEN_UP,
        "the next start tries again: 401, since 2026-03-01 22:00:00 UTC; 4 targets wait; do: repair what the reason",
        OPEN,
        GIVEN_UP,
        working=True,
    ),
    case(
        Cause.LAST_SEEN,
        "default, which the last process could not use: 401, since 2026-03-01 22:00:00 UTC; 4 targets wait; do: repair",
        OPEN,
        GIVEN_UP,
    ),
    *(
        case(
            Cause.UNSERVED,
            "scope default: paused, no host may serve it but sh-*, bj-1; 4 targets wait; do: on a host that may serve",
            OPEN,
            UNSERVED,
            working=working,
        )
        for working in (True, False)
    ),
    case(Cause.EARLIER_WAVE, "wave one comes first; do: ", OPEN, sent(FAR), plan=TWO, of="target"),
    case(Cause.WINDOW, "window opens Mon 01:00 UTC, in 3 h 00 min; 4 targets wait", plan={"windows": (NIGHT,)}),
    case(Cause.WINDOW, "window opens Mon 01:00 UTC, in 3 h 00 min; do:", plan={"windows": (NIGHT,)}, of="target"),
    case(
        Cause.FREEZE,
        "frozen; the freeze ends Tue 00:00 UTC, in 1 d 2 h",
        plan={"freezes": (Freeze(start="2026-03-01", end="2026-03-02", timezone="UTC"),)},
    ),
    case(
        Cause.FIT,
        "too late for an upgrade to end before the window closes at Sun 22:05 UTC; window opens Mon 21:00 UTC",
        plan={"windows": (Window(opens=21 * 60, closes=22 * 60 + 5, timezone="UTC"),)},
    ),
    case(Cause.BOUND, "the time for starts in this one is over; 4", BOUNDED, REACHED, OPEN, working=True),
    case(Cause.BOUND, "the time for starts in this one is over; do", UNTIL, REACHED, OPEN, working=True, of="target"),
    case(Cause.TURN, "the next start; nothing stands in its way", BOUNDED, REACHED, OPEN),
    case(Cause.CHANGED, "the plan was changed, which needs --new: waves; 4", BARRED, REACHED, OPEN, working=True),
    case(Cause.TURN, "the next start; nothing stands in its way", BARRED, REACHED, OPEN),
    case(Cause.BUSY, "job 7 runs on it; another try at 2026-03-01 22:10:00 UTC, in 10 min", OPEN, *POSTPONED),
    case(Cause.BUSY, "job 7 runs on it; another try at 2026-03-01 22:10:00 UTC", OPEN, *POSTPONED, of="target"),
    case(Cause.LIMIT, "in_flight 1 is full; 3 targets wait; 1 upgrade under", OPEN, sent(FAR), plan=CAPPED),
    *(
        case(
            Cause.DOUBT,
            "what became of 1 attempt, whose doubt period ends at 2026-03-01 22:15:00 UTC, in 15 min; 3 targets wait; "
            "do: nothing",
            OPEN,
            sent(FAR),
            doubted(FAR),
            plan=plan,
            working=True,
        )
        for plan in (CAPPED, RAMPED, STRICT)
    ),
    case(
        Cause.RAMP,
        "ramp at 2; 1 target waits; 1 upgrade under way, followed to the end; "
        "1 attempt in doubt, of which evidence is looked for; do: nothing",
        OPEN,
        sent(NEIGHBOUR),
        settled(NEIGHBOUR),
        sent(MINE),
        sent(FAR),
        doubted(FAR),
        plan=RAMPED,
        working=True,
    ),
    case(Cause.DOUBT, "of what became of 1 attempt; 3 targets", OPEN, *OVERDUE, plan=CAPPED, working=True),
    case(Cause.LOOK, "what became of 1 attempt, whose doubt period ends", OPEN, sent(FAR), doubted(FAR), plan=RAMPED),
    case(
        Cause.PAUSED,
        "it is back: no route, since 2026-03-01 22:00:00 UTC; 3 targets wait; 1 upgrade under way",
        OPEN,
        sent(FAR),
        PAUSED,
        plan=CAPPED,
        working=True,
    ),
    case(
        Cause.WINDOW,
        "window opens Mon 01:00 UTC, in 3 h 00 min; do:",
        OPEN,
        sent(FAR),
        plan={**TWO, "windows": (NIGHT,)},
        of="target",
    ),
    case(Cause.LIMIT, ON_INSTANCE, OPEN, sent(NEIGHBOUR), of="target", plan={"limits": Limits(ramp=False)}),
    case(
        Cause.LIMIT,
        f"per_instance 1 of instance {FAR.instance_id} (held by {FAR.proxy_id}: in_flight) is full; 2 targets wait",
        OPEN,
        sent(MINE),
        sent(FAR),
        plan={"limits": Limits(ramp=False)},
    ),
    case(Cause.RAMP, "with which the ramp grows: ramp at 1; 3 targets wait", OPEN, sent(FAR), plan=RAMPED),
    case(
        Cause.LABEL,
        f"1 of app=a0 (held by {LAST.proxy_id}: in_flight) is full",
        OPEN,
        sent(LAST),
        of="target",
        plan=LABELS,
    ),
    case(
        Cause.LABEL,
        f"a free slot of a label: per_label 1 of app=a0 (held by {LAST.proxy_id}: in_flight) is full; 1 target waits",
        OPEN,
        sent(LAST),
        sent(NEIGHBOUR),
        sent(FAR),
        plan=LABELS,
    ),
    case(Cause.BUDGET, "strict, failures budget 0 of the fleet; 3 targets wait", OPEN, sent(FAR), plan=STRICT),
    case(Cause.RATE, "its turn: scope default may make 2 calls a second; 4 targets wait", working=True),
    case(Cause.RATE, "its turn: scope default may make 2 calls a second; do: nothing", working=True, of="target"),
    case(Cause.TURN, f"the next start; nothing stands in its way; 4 targets wait; do: orchestrator run {PLAN}"),
    case(Cause.TURN, "the next start; nothing stands in its way; do: orchestrator run", of="target"),
    case(Cause.STEP, "nothing: its next step is under way; 4 targets wait; do: nothing", BEGAN, REACHED, working=True),
    case(
        Cause.MEASURED,
        "the metrics of the last upgrades, in 18 min; do: nothing",
        *(BEGAN, REACHED, OPEN),
        sent(MINE),
        r.AnswerSeen(at=START, target=MINE.proxy_id, attempt=1, verdict="accepted"),
        *map(settled, TARGETS),
        r.WaveDone(at=START, wave="one"),
        plan={"impact": "cloud_eye"},
        working=True,
    ),
    case(Cause.JOB, "the end of 4 upgrades; do: nothing", OPEN, *map(sent, TARGETS), working=True),
    case(
        Cause.JOB,
        "the end of 3 upgrades; 1 attempt in doubt, of which evidence is looked for; do: nothing",
        OPEN,
        *map(sent, TARGETS),
        doubted(FAR),
        working=True,
    ),
    case(Cause.JOB, "the end of its upgrade; do: orchestrator run", OPEN, sent(MINE), of="target"),
    case(
        Cause.DOUBT,
        "waits for: evidence of what became of 4 attempts, whose doubt period ends at",
        OPEN,
        *map(sent, TARGETS),
        *map(doubted, TARGETS),
        working=True,
    ),
    case(Cause.LOOK, "the next start, which looks for", OPEN, *map(sent, TARGETS), *map(doubted, TARGETS)),
    case(
        Cause.DOUBT,
        "its attempt (nothing is known yet), whose doubt period ends at 2026-03-01 22:15:00 UTC, in 15 min; do: noth",
        OPEN,
        sent(MINE),
        doubted(MINE),
        of="target",
        working=True,
    ),
    case(Cause.LOOK, "looks for evidence of what became of its", OPEN, sent(MINE), doubted(MINE), of="target"),
    case(
        Cause.PERSON,
        f"a person, to settle 4 targets; do: look in the console, then orchestrator settle {PLAN} {MINE.proxy_id} -",
        OPEN,
        *map(sent, TARGETS),
        *map(doubted, TARGETS),
        *map(remains, TARGETS),
    ),
    case(Cause.PERSON, "a person, to settle it: no trace", OPEN, sent(MINE), doubted(MINE), remains(MINE), of="target"),
    case(
        Cause.PERSON,
        f"; every start looks at it again: orchestrator run {PLAN}; or let others start beside it: "
        f'orchestrator limit {PLAN} in_flight=2 --note "why" && orchestrator run {PLAN}',
        *(OPEN, sent(FAR), doubted(FAR), remains(FAR)),
        plan=CAPPED,
    ),
    case(
        Cause.GATE,
        "closed since 2026-03-01 22:00:00 UTC: it fails: HTTP 503; 4 targets wait; do: see that the gates pass, then",
        OPEN,
        SHUT,
        plan=GATED,
    ),
    case(Cause.GATE, "closed since 2026-03-01 22:00:00 UTC: it fails: HTTP 503", OPEN, SHUT, plan=GATED, of="target"),
    case(  # nobody has asked it since, so it holds nothing yet
        Cause.GATE,
        "closed since 2026-03-01 21:00:00 UTC: it fails: HTTP 503",
        OPEN,
        structs.replace(SHUT, at=START - timedelta(hours=1)),
        plan={"gates": (structs.replace(GATED["gates"][0], hold_after_s=1800.0),)},
    ),
    case(Cause.ASKED, "the answer of gate orders; 4 targets wait; do: nothing", plan=GATED, working=True),
    case(
        Cause.PER_WINDOW,
        "room: 2 starts made on one day, per_window allows 1; the next day begins",
        OPEN,
        sent(FAR),
        sent(MINE),
        settled(FAR),
        settled(MINE),
        plan={"limits": Limits(per_window=1)},
    ),
    case(
        Cause.PER_WINDOW,
        "room: 1 start made on one day, per_window allows 1; the next day begins Mon 00:00 UTC, in 2 h 00 min",
        OPEN,
        sent(FAR),
        settled(FAR),
        plan={"limits": Limits(per_window=1)},
    ),
    case(
        Cause.PER_WINDOW,
        "1 start made in one window, per_window allows 1; window opens Mon 21:00 UTC, in 23 h 00 min",
        OPEN,
        sent(FAR),
        settled(FAR),
        of="target",
        plan={"limits": Limits(per_window=1), "windows": (Window(opens=21 * 60, closes=0, timezone="UTC"),)},
    ),
    case(
        Cause.SUBNET,
        "addresses: subnet s has 1 free address beside the 2 in reserve, at least 2 are needed; 4 targets wait",
        OPEN,
        SubnetRead(at=START, scope="default", subnet_id="s", free=3),
        plan=IN_SUBNET,
    ),
    case(
        Cause.SUBNET,
        "beside the 2 in reserve, at least 2 are needed; do: see that enough addresses are free, then orchestrator run",
        OPEN,
        SubnetRead(at=START, scope="default", subnet_id="s", free=3),
        of="target",
        plan=IN_SUBNET,
    ),
    *(
        case(  # for longer than `busy_for`: the next reading decides whether they are deferred
            Cause.SUBNET,
            "addresses: subnet s has 1 free address beside the 2 in reserve, at least 2 are needed",
            OPEN,
            SubnetRead(at=START - timedelta(hours=9), scope="default", subnet_id="s", free=3),
            plan=IN_SUBNET,
            of=of,
            working=working,
        )
        for of in ("fleet", "target")
        for working in (False, True)
    ),
    case(
        Cause.EVENT,
        "the cloud's own events: db_upgrade of instance",
        OPEN,
        CloudEventsRead(at=START, scope="default", events=(EVENT,)),
        of="target",
        plan={"cloud_events": "wait"},
    ),
    case(Cause.BROKEN, "the next session, after an internal error: 4 targets", twist=_breaks, working=True),
    case(
        Cause.PERSON,
        f"to settle {NEIGHBOUR.proxy_id} (in_doubt), which holds its slot: per_instance 1 of instance "
        f"{MINE.instance_id}; do: look in the console, then orchestrator settle {PLAN} {NEIGHBOUR.proxy_id} -",
        OPEN,
        *(record(each) for each in (NEIGHBOUR, FAR) for record in (sent, doubted, remains)),
        of="target",
        plan={"limits": Limits(ramp=False)},
    ),
    case(
        Cause.PERSON,
        f"to settle 1 target; do: look in the console, then orchestrator settle {PLAN} {FAR.proxy_id} -",
        OPEN,
        sent(FAR),
        doubted(FAR),
        remains(FAR),
        of="target",
        plan=CAPPED,
    ),
    case(
        Cause.PERSON,
        f"which holds its slot: per_instance 1 of instance {MINE.instance_id}; do: look in the console, then "
        f"orchestrator settle {PLAN} {NEIGHBOUR.proxy_id} -",
        OPEN,
        sent(NEIGHBOUR),
        doubted(NEIGHBOUR),
        remains(NEIGHBOUR),
        of="target",
        plan=CAPPED,
    ),
    case(
        Cause.BEHIND,
        "a person: 2 of 4 not known to run 2.24.03.000; do: remove the causes, then "
        f"orchestrator run {PLAN} --only-outcome rejected,failed",
        *map(settled, TARGETS[:2]),
        settled(FAR, Outcome.FAILED),
        settled(LAST, Outcome.REJECTED),
        r.RunEnded(at=START),
    ),
    case(
        Cause.BEHIND,
        f"orchestrator run {PLAN} --only-outcome rejected; for 2 others, which a run takes by itself: "
        f"orchestrator run {PLAN}",
        settled(TARGETS[0]),
        settled(TARGETS[1], Outcome.NOT_STARTED),
        settled(FAR, Outcome.DEFERRED),
        settled(LAST, Outcome.REJECTED),
        r.RunEnded(at=START),
    ),
    case(
        Cause.HOLD,
        "to release the fleet: 1 failure; 1 of 4 not known to run 2.24.03.000; do: look at the cause, then "
        f'orchestrator release {PLAN} --note "why" && orchestrator run {PLAN} --only-outcome failed',
        *map(settled, TARGETS[:3]),
        settled(LAST, Outcome.FAILED),
        r.HoldSet(at=START, cause="failures", reason="1 failure"),
        r.RunEnded(at=START),
    ),
    case(
        Cause.LEFT_OUT,
        "a person: 1 of 4 not known to run 2.24.03.000, and no run sends any of them as things stand; do: correct the "
        "plan",
        *map(settled, TARGETS[:3]),
        settled(LAST, Outcome.SKIPPED),
        r.RunEnded(at=START),
    ),
    case(
        Cause.AGAIN,
        f"the next run: 1 of 4 not known to run 2.24.03.000 yet; do: orchestrator run {PLAN}",
        *map(settled, TARGETS[:3]),
        settled(LAST, Outcome.DEFERRED),
        r.RunEnded(at=START),
    ),
    case(
        Cause.NOTHING,
        f"it has its outcome; do: remove the cause, then orchestrator run {PLAN} --only-outcome rejected",
        settled(MINE, Outcome.REJECTED),
        r.RunEnded(at=START),
        of="target",
    ),
    case(
        Cause.NOTHING,
        "connected? then, when the run has ended, redo it with --only-outcome failed; until then: orchestrator run",
        settled(MINE, Outcome.FAILED),
        of="target",
    ),
    case(Cause.NOTHING, "it has its outcome; do: nothing", settled(MINE), of="target"),
    case(Cause.NOTHING, "exclude it", structs.replace(settled(MINE, Outcome.SKIPPED), reason="drifted"), of="target"),
    case(
        Cause.NOTHING, "no target is known to run less than 2.24.03.000", *map(settled, TARGETS), r.RunEnded(at=START)
    ),
]


@pytest.mark.parametrize("state", CASES, ids=lambda state: f"{state.cause.name}-{state.of}")
def test_one_line_says_what_is_waited_for_and_what_to_do(state: Case) -> None:
    line = state.line()
    seen = state.outlook()
    found = target_next(seen, MINE.proxy_id, PLAN)
    assert found is not None
    wait = seen.fleet() if state.of == "fleet" else found[0]
    assert (wait.cause, state.says in line) == (state.cause, True), line
    assert "; do: " in line


def test_every_cause_is_reached() -> None:
    assert {state.cause for state in CASES} == set(Cause)


def test_every_cause_has_its_sentence_and_its_steps() -> None:
    assert len({cause.value for cause in Cause}) == len(Cause.__members__)
    assert set(STEPS) == set(Cause)
    assert {step for pair in STEPS.values() for step in pair} == set(Step)


def test_the_page_lists_each_cause_with_its_sentence_and_steps_in_order() -> None:
    told = [
        tuple(cell.strip("`") for cell in (row[0], row[1], row[3], row[4])) for row in rows(section(PAGE, "Every line"))
    ]
    assert told == [(cause.name, cause.value, *(_shown(step) for step in STEPS[cause])) for cause in Cause]


def _shown(step: Step) -> str:
    redo = " --only-outcome OUTCOMES" if step is Step.REDO else ""
    return step.value.format(
        plan="PLAN", wave="WAVE", proxy="PROXY_ID", redo=redo, settled="SETTLED", when="after that"
    )


@pytest.mark.parametrize(("cause", "step"), [(Cause.WINDOW, Step.CORRECT), (Cause.EVENT, Step.RUN)])
def test_nothing_is_left_to_time_that_has_no_instant(cause: Cause, step: Step) -> None:
    assert step_words(Wait(cause, ("x",)), "PLAN", working=False) == _shown(step)
    assert step_words(Wait(cause, ("x",), SOON), "PLAN", working=False) == _shown(Step.LATER)


def test_after_a_session_the_step_names_the_instant() -> None:
    state = case(Cause.SOAK, "", OPEN, sent(FAR), settled(FAR), SOAKS, plan=TWO)
    words = f"nothing now; from 2026-03-01 22:10:00 UTC on, orchestrator run {PLAN}"
    assert last_step(state.outlook(), PLAN) == words
    assert last_step(case(Cause.TURN, "", OPEN).outlook(), PLAN) == f"orchestrator run {PLAN}"


def test_what_is_open_is_told_beside_what_is_waited_for() -> None:
    state = case(Cause.HOLD, "", OPEN, sent(FAR), HELD)
    assert "; 3 targets wait; 1 upgrade under way, followed by the next start; do: " in state.line()


def test_the_bounds_of_the_process_at_work_are_told_and_of_no_other() -> None:
    bounds = structs.replace(BEGAN, until=SOON, ends_at=START)
    working, dead = (case(Cause.BOUND, "", bounds, REACHED, OPEN, working=working) for working in (True, False))
    assert list(bound_lines(working.outlook())) == [
        "  it starts nothing from 2026-03-01 22:10:00 UTC on (--until)",
        "  it starts nothing from 2026-03-01 22:00:00 UTC on (--max-duration)",
    ]
    assert list(bound_lines(dead.outlook())) == []


def test_the_live_display_and_status_use_one_decision() -> None:
    seen = case(Cause.LIMIT, "", OPEN, sent(FAR), plan=CAPPED, working=True).outlook()
    assert fleet_wait(seen.rollout, START, working=True) == seen.fleet()


NO_FAILURE = Failures(max=Amount(0), max_rejected=Amount(9), counts=("failed",))


@pytest.mark.parametrize(
    ("targets", "records", "plan", "named"),
    [
        ([FAR], (), CAPPED, "in_flight=2 "),
        ([FAR, MINE], (), {"limits": Limits(in_flight=Amount(2))}, "in_flight=4 "),
        ([FAR], (), {**CAPPED, "failures": NO_FAILURE}, None),
        ([FAR], (structs.replace(BEGAN, approved="a.json"),), CAPPED, None),
        ([FAR, MINE], (), {"limits": Limits(in_flight=Amount(9))}, None),
        (TARGETS, (), {"limits": Limits(in_flight=Amount(4))}, None),
    ],
    ids=[
        "one slot",
        "two slots",
        "a strict budget is full too",
        "approved with it",
        "an instance is full",
        "none waits",
    ],
)
def test_beside_a_settle_more_in_flight_is_named_where_that_alone_lets_others_start(
    targets: Any, records: Any, plan: Any, named: str | None
) -> None:
    stuck = [record(each) for each in targets for record in (sent, doubted, remains)]
    line = case(Cause.PERSON, "", OPEN, *records, *stuck, plan=plan).line()
    assert "waits for: a person, to settle " in line
    assert "; every start looks at it again: orchestrator run" in line
    assert ("let others start" in line, str(named) in line) == (named is not None, named is not None)


def test_a_scope_of_its_own_budget_waits_for_what_is_in_flight() -> None:
    scope = Scope(name="default", region="cn-north-4", project_id="p", max_failures=Amount(0))
    plan = {
        "scopes": (scope,),
        "failures": Failures(max=Amount(9), max_rejected=Amount(9)),
        "limits": Limits(ramp=False, per_instance=9),
    }
    seen = case(Cause.BUDGET, "", OPEN, sent(FAR), plan=plan).outlook()
    assert str(seen.fleet()).endswith("strict, failures budget 0 of the scope default")
