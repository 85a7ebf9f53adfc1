"""Every command that is advised is one that is accepted in the state in which it is advised."""

import re
import shlex
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.e2e import sim_targets
from fakes.here import DeskHere
from fakes.laid_down import laid_down
from fakes.recorded import run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.planner.plan_file.load import load_plan

NOW = datetime.now(UTC)
FAILED, REFUSED, OTHER = (target.proxy_id for target in sim_targets(3))
WAVES = [{"name": "all"}]
BEGUN = (
    run_started(3),
    r.SessionStarted(at=NOW, number=1, pid=1, host="h", orchestrator_version="1"),
    r.ScopeOpened(at=NOW, scope="default"),
    r.WaveOpened(at=NOW, wave="all"),
)


def sent(key: str) -> r.Intent:
    return r.Intent(at=NOW, target=key, attempt=1, wave="all", token="t", source_version="1", target_version="2")


def ended(key: str, outcome: Outcome) -> r.Settled:
    return r.Settled(at=NOW, target=key, attempt=1, outcome=outcome, reason="no room", wave="all")


BAD = (sent(FAILED), ended(FAILED, Outcome.FAILED), sent(REFUSED), ended(REFUSED, Outcome.REJECTED))
LOST = (sent(OTHER), r.AnswerSeen(at=NOW, target=OTHER, attempt=1, verdict="in_doubt"))
STUCK = (*LOST, r.DoubtRemains(at=NOW, target=OTHER, attempt=1, why="no trace"))
HELD = r.HoldSet(at=NOW, cause="failures", reason="1 failure, 0 allowed", proxy_ids=(FAILED,))
APPROVES = r.HoldSet(at=NOW, cause="approval", reason="wave all waits for approval", wave="all")
OVER = (sent(OTHER), ended(OTHER, Outcome.SUCCEEDED), r.RunEnded(at=NOW))
GONE = r.SessionEnded(at=NOW, exit_code=5, why="stopped by SIGTERM")


@dataclass(frozen=True)
class State:
    """A run as it was left.

    Attributes:
        released: a release was asked for, and nobody has read it.
        changed: the plan has another wave since.
    """

    records: tuple[r.Record, ...]
    released: bool = False
    working: bool = False
    changed: bool = False


STATES = {
    "waiting": State((*BAD, GONE)),
    "at work": State(BAD, working=True),
    "held": State((*BAD, HELD, GONE)),
    "held, at work": State((*BAD, HELD), working=True),
    "released": State((*BAD, HELD, GONE), released=True),
    "waits for approval": State((*BAD, APPROVES, GONE)),
    "in doubt": State((*BAD, *LOST)),
    "stuck": State((*BAD, *STUCK, GONE)),
    "stuck, at work": State((*BAD, *STUCK), working=True),
    "changed": State((*BAD, GONE), changed=True),
    "changed, in doubt": State((*BAD, *LOST), changed=True),
    "changed, stuck": State((*BAD, *STUCK, GONE), changed=True),
    "changed, held": State((*BAD, HELD, GONE), changed=True),
    "ended": State((*BAD, *OVER, GONE)),
    "ended, held": State((*BAD, HELD, *OVER, GONE)),
    "ended, released": State((*BAD, HELD, *OVER, GONE), released=True),
}


@pytest.mark.parametrize("proxy", ["", FAILED, REFUSED, OTHER], ids=["fleet", "failed", "refused", "other"])
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_what_is_advised_is_accepted_as_things_stand(state: State, proxy: str, tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(3))
    desk.write(waves=WAVES)
    fleet = laid_down(desk, load_plan(desk.plan), (*BEGUN, *state.records))
    if state.changed:
        desk.write(waves=[{"name": "first", "size": 1}, *WAVES])
    if state.released:
        assert desk.cli("release", "PLAN", "--note", "seen").code == 0
    with fleet.lock(NOW) if state.working else nullcontext():
        line = desk.cli("status", "PLAN", *([proxy] if proxy else [])).stdout.splitlines()[-1]
        for words in commands(line.partition("; do: ")[2]):
            tried = desk.cli(*tried_only(words))
            assert tried.code in (0, 1), f"{shlex.join(words)}: {tried.stderr}\n{line}"


def commands(advice: str) -> Iterator[list[str]]:
    """The command lines in an advice, in their order."""
    for found in re.findall(r"orchestrator ([^;&]+)", advice):
        yield shlex.split(found.replace("OUTCOME", "failed"))


def tried_only(words: list[str]) -> list[str]:
    """The same command without a session: a run only says what it would do."""
    return [*words, "--dry-run", "--offline"] if words[0] == "run" else words
