"""Every state that a fleet can be in, as its own session comes to it: `status` beside a living process and a dead one.

A session is played on virtual time, its records up to the one that shows the state are laid into a state folder, and
the command line is asked; once with the fleet's lock held, as by the process at work, and once without.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes.acts import BUSY, LOST_REQUEST, Act, Fate
from fakes.clouds import FakeCloud
from fakes.documents import read, rows, section
from fakes.e2e import sim_targets
from fakes.here import DeskHere
from fakes.hours import freeze, window
from fakes.laid_down import laid_down
from fakes.stage import Stage
from msgspec import structs

from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.model.reply.reply import Doubtful, Exchange, NotSent, Throttled
from orchestrator.planner.plan_file.load import load_plan

DAY_S = 86_400.0
HANGS, FAILS = Fate(duration_s=DAY_S), Fate(duration_s=10.0, status="Failed", fail_reason="no room", flips=None)
NO_ROUTE = NotSent("no route to host")
THROTTLED = Throttled(7200.0, Exchange(http_status=429))
LOOSE = {"max": "100%", "max_rejected": "100%", "mode": "soft"}
#: Durations as of a real fleet: nothing has to be quick on virtual time.
PACE: dict[str, Any] = {
    "waves": [{"name": "all"}],
    "limits": {"rate": "5/s", "in_flight": 10, "ramp": "false"},
    "failures": LOOSE,
    "follow": {"poll": "10s", "expected": "5m", "timeout": "40m", "verify_for": "1m"},
    "retry": None,
    "http": None,
}
PROXIES = sim_targets(3)
LABELLED = [{"instance_id": each.instance_id, "proxy_id": each.proxy_id, "labels": {"app": "x"}} for each in PROXIES]

TOGETHER = [{"instance_id": PROXIES[0].instance_id, "proxy_id": each.proxy_id} for each in PROXIES]

Mood = Callable[[FakeCloud], None]


@dataclass(frozen=True)
class State:
    """How a fleet comes to a state, and what is said of it.

    Attributes:
        shown_by: the kind of the record that shows it, and how many of these there are then.
        living: cause beside the process, and a part of the line.
        dead: the same without it.
        plan: keys of the plan.
        mood: of the cloud.
        twist: what the process notes of itself, which the stage does not know.
    """

    shown_by: tuple[type[r.Record], int]
    living: tuple[Cause, str]
    dead: tuple[Cause, str]
    plan: dict[str, Any] = field(default_factory=dict)
    mood: Mood = lambda _cloud: None
    twist: Callable[[r.Record], r.Record] = lambda record: record


def at_once(shown_by: type[r.Record], cause: Cause, says: str, **keys: Any) -> State:
    """A state that is the same with a process and without one."""
    return State((shown_by, keys.pop("count", 1)), (cause, says), (cause, says), **keys)


def hanging(cloud: FakeCloud) -> None:
    cloud.default_fate = HANGS


def one_fails(cloud: FakeCloud) -> None:
    cloud.default_fate, first = HANGS, next(iter(cloud.proxies))
    cloud.fates = {first: FAILS}


def acting(act: Act, cloud: FakeCloud) -> None:
    cloud.default_act = act


def down_later(cloud: FakeCloud) -> None:
    cloud.default_fate, begins = HANGS, cloud.clock.now()
    cloud.down = lambda now: NO_ROUTE if (now - begins).total_seconds() > 60 else None


def broken_later(cloud: FakeCloud) -> None:
    down_later(cloud)
    down, broken = cloud.down, Doubtful("bad gateway", Exchange(http_status=503))

    def slowly(now: datetime) -> Doubtful | None:
        cloud.latency_s = 6.0 if down(now) else 0.05
        return broken if down(now) else None

    cloud.down = slowly


def refusing(cloud: FakeCloud) -> None:
    cloud.refuses_generation = lambda _now, _generation: True


def throttled(cloud: FakeCloud) -> None:
    cloud.reads = lambda name, _key, _number: THROTTLED if name == "proxy_version" else None


def barred(record: r.Record) -> r.Record:
    wait = Wait(Cause.ELSEWHERE, ("proxy p is open in run r of fleet other",))
    return structs.replace(record, barred=wait.noted) if isinstance(record, r.SessionStarted) else record


def bounded(record: r.Record) -> r.Record:
    return structs.replace(record, until=record.at) if isinstance(record, r.SessionStarted) else record


FULL = "2 targets wait; 1 upgrade under way, followed "
STATES = {
    "window": at_once(r.ScopeOpened, Cause.WINDOW, "window opens", plan={"windows": [window(opens_in_h=5.0)]}),
    "freeze": at_once(r.ScopeOpened, Cause.FREEZE, "frozen; the freeze ends", plan={"freezes": [freeze()]}),
    "soak": at_once(
        r.WaveSoaking,
        Cause.SOAK,
        "the soak of wave canary, in ",
        plan={"waves": [{"name": "canary", "size": 1, "soak": "3h"}, {"name": "rest"}]},
    ),
    "approval": at_once(
        r.HoldSet,
        Cause.APPROVAL,
        "approval of wave rest; 2 targets wait; do: orchestrator release",
        plan={"waves": [{"name": "canary", "size": 1}, {"name": "rest", "approve": True}]},
    ),
    "hold": at_once(
        r.HoldSet,
        Cause.HOLD,
        "to release the fleet: 1 failure, 0 allowed for the fleet; 2 upgrades under way, followed ",
        plan={"failures": {"max": 0, "mode": "soft"}},
        mood=one_fails,
    ),
    "rate": State(
        (r.ScopeOpened, 1),
        (Cause.RATE, "its turn: scope default may make 0.000555556 calls a second; 3 targets wait"),
        (Cause.TURN, "the next start; nothing stands in its way; 3 targets wait"),
        plan={"limits": {"rate": "2/h"}},
    ),
    "throttling": at_once(r.ScopeThrottled, Cause.THROTTLED, "scope default: throttled by the cloud", mood=throttled),
    "pause": State(
        (r.ScopePaused, 1),
        (Cause.PAUSED, "scope default: paused, one probe at a time asks whether it is back: no route to host, since "),
        (Cause.LAST_SEEN, "scope default, which the last process could not use: no route to host, since "),
        plan={"limits": {"in_flight": 1}},
        mood=down_later,
    ),
    "silence": State(
        (r.ScopeSilent, 1),
        (Cause.SILENT, "scope default: it is asked, and does not answer: HTTP 503: bad gateway, since "),
        (Cause.LAST_SEEN, "default, which the last process could not use: HTTP 503: bad gateway, since "),
        plan={"limits": {"in_flight": 1}},
        mood=broken_later,
    ),
    "doubt": State(
        (r.AnswerSeen, 3),
        (Cause.DOUBT, "waits for: evidence of what became of 3 attempts, whose doubt period ends at"),
        (Cause.LOOK, "the next start, which looks for evidence of what became of 3 attempts, whose doubt period ends"),
        mood=partial(acting, LOST_REQUEST),
    ),
    "doubt before ramp": State(
        (r.AnswerSeen, 1),
        (Cause.DOUBT, "what became of 1 attempt, whose doubt period ends at"),
        (Cause.LOOK, "looks for evidence of what became of 1 attempt, whose doubt period ends at"),
        plan={"limits": {"ramp": True}},
        mood=partial(acting, LOST_REQUEST),
    ),
    "busy": at_once(
        r.Postponed, Cause.BUSY, "another operation runs; another try at", mood=partial(acting, BUSY), count=3
    ),
    "budget": at_once(
        r.AnswerSeen,
        Cause.BUDGET,
        f"which could use up a budget: strict, failures budget 0 of the fleet; {FULL}",
        plan={"failures": {"max": 0, "mode": "strict"}},
        mood=hanging,
    ),
    "limit": at_once(
        r.AnswerSeen,
        Cause.LIMIT,
        f"a free slot: in_flight 1 is full; {FULL}",
        plan={"limits": {"in_flight": 1}},
        mood=hanging,
    ),
    "ramp": at_once(
        r.AnswerSeen,
        Cause.RAMP,
        f"a success, with which the ramp grows: ramp at 1; {FULL}",
        plan={"limits": {"ramp": True}},
        mood=hanging,
    ),
    "per_window": at_once(
        r.Settled,
        Cause.PER_WINDOW,
        "room: 1 start made in one window, per_window allows 1; window opens ",
        plan={"limits": {"per_window": 1}, "windows": [window(opens_in_h=-3.0, hours=9.0)]},
    ),
    "label": at_once(
        r.AnswerSeen,
        Cause.LABEL,
        "a free slot of a label: per_label 1 of app=x (held by ",
        plan={"limits": {"per_label": {"app": 1}}, "proxies": LABELLED},
        mood=hanging,
    ),
    "per_instance": at_once(
        r.AnswerSeen,
        Cause.LIMIT,
        f"a free slot: per_instance 1 of instance {PROXIES[0].instance_id} (held by ",
        plan={"proxies": TOGETHER},
        mood=hanging,
    ),
    "job": at_once(r.AnswerSeen, Cause.JOB, "the end of 3 upgrades; do: ", mood=hanging, count=3),
    "person": at_once(
        r.FollowTimedOut,
        Cause.PERSON,
        "a person, to settle 3 targets; do: look in the console",
        plan={"follow": {"expected": "1m", "timeout": "2m"}},
        mood=hanging,
        count=3,
    ),
    "scope given up": State(
        (r.ScopeGivenUp, 1),
        (Cause.GIVEN_UP, "scope default: given up for this session"),
        (Cause.LAST_SEEN, "scope default, which the last process could not use: HTTP 401: token expired"),
        mood=refusing,
    ),
    "another fleet": State(
        (r.ScopeOpened, 1),
        (Cause.ELSEWHERE, "another fleet: proxy p is open in run r of fleet other; 3 targets wait"),
        (Cause.TURN, "the next start; nothing stands in its way"),
        twist=barred,
    ),
    "bound": State(
        (r.ScopeOpened, 1),
        (Cause.BOUND, "the next session: the time for starts in this one is over; 3 targets wait"),
        (Cause.TURN, "the next start; nothing stands in its way"),
        twist=bounded,
    ),
    "first call": State(
        (r.SessionStarted, 1),
        (Cause.STEP, "nothing: its next step is under way; 3 targets wait; do: nothing"),
        (Cause.TURN, "the next start; nothing stands in its way; 3 targets wait"),
    ),
    "gate": at_once(
        r.GateAnswered,
        Cause.GATE,
        "waits for: gate orders to open, closed since",
        plan={"gates": [{"name": "orders", "command": ["check"]}]},
    ),
    "nothing at all": at_once(r.SessionEnded, Cause.NOTHING, "nothing: the run has ended"),
}


@pytest.fixture(scope="module")
def steps() -> dict[str, tuple[str, str]]:
    """What the page says is to be done, by cause: beside a process, and without one."""
    table = rows(section(read("docs/status.md"), "Every line"))
    return {row[0].strip("`").lower(): (row[3].strip("`"), row[4].strip("`")) for row in table}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_person_knows_from_one_line_what_goes_on_and_what_to_do(
    state: State, tmp_path: Path, steps: dict[str, tuple[str, str]]
) -> None:
    desk = DeskHere(tmp_path, targets=PROXIES)
    desk.write(**{**PACE, **state.plan})
    plan = load_plan(desk.plan)
    fleet = laid_down(desk, plan, map(state.twist, _played(plan, state)))
    for working, (cause, says) in ((False, state.dead), (True, state.living)):
        with fleet.lock(datetime.now(UTC)) if working else nullcontext():
            line = desk.cli("status", "PLAN").stdout.splitlines()[-1]
            told = json.loads(desk.cli("status", "PLAN", "--format", "json").stdout)
        assert (told["waits_for"]["cause"], says in line) == (cause.name.lower(), True), line
        documented = steps[told["waits_for"]["cause"]][0 if working else 1]
        assert told["waits_for"]["next_step"] == _pasted(documented, desk, told), "as docs/status.md has it"
        assert line.endswith(f"do: {told['waits_for']['next_step']}")


def test_all_states_of_the_page_are_among_them(steps: dict[str, tuple[str, str]]) -> None:
    seen = {cause for state in STATES.values() for cause in (state.living[0], state.dead[0])}
    others = {
        *(
            Cause.REACH,
            Cause.UNREACHED,
            Cause.UNSERVED,
            Cause.FIT,
            Cause.BROKEN,
            Cause.ASKED,
            Cause.MEASURED,
            Cause.SUBNET,
            Cause.EVENT,
        ),  # as `test_waits` shows them
        *(Cause.CHANGED, Cause.UNSEEN, Cause.RELEASED, Cause.EARLIER_WAVE),
        *(Cause.BEHIND, Cause.LEFT_OUT, Cause.AGAIN),  # the ends of a run
    }
    assert seen | others == set(Cause)
    assert not seen & others
    assert {cause.name.lower() for cause in Cause} == steps.keys()


def _played(plan: Plan, state: State) -> Sequence[r.Record]:
    """The records of a session up to the one that shows the state."""
    kind, count = state.shown_by
    stage = Stage(plan=plan, start=datetime.now(UTC), wait_s=10 * DAY_S, cloud_of=state.mood)

    async def stop(dispatcher: Dispatcher) -> None:
        while stage.journal is None or len(_places(stage.journal.records, kind)) < count:
            await dispatcher.session.clock.sleep(1.0)
        dispatcher.stop("the state is there")

    stage.script = (stop,)
    records = stage.play().records
    return records[: _places(records, kind)[count - 1] + 1]


def _places(records: Sequence[r.Record], kind: type[r.Record]) -> list[int]:
    return [number for number, record in enumerate(records) if isinstance(record, kind)]


def _pasted(documented: str, desk: DeskHere, told: dict[str, Any]) -> str:
    """The step of the page, as it is to be pasted here."""
    stuck = (told["need_person"] or ["PROXY_ID"])[0]
    words = documented.replace("PLAN", desk.named).replace("WAVE", "rest")
    return words.replace("PROXY_ID", stuck).replace("SETTLED", "succeeded or failed")
