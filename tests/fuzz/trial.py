"""One trial of a run against a hostile cloud: drawn from a seed and an index, played, and what came of it."""

import asyncio
import json
import os
import random
import shutil
import signal
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias
from unittest.mock import patch

import msgspec
from fuzz.cloud import KINDS, NEW, PROJECT, Cloud
from fuzz.server import TWISTS, Fault, Server
from fuzz.virtual import Ended, Times, session

from orchestrator.executor.crash_points import Point
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import Record
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.tracker.journal.file import read_journal
from orchestrator.tracker.report.schema import Report

Theme: TypeAlias = Literal["answers", "clocks", "exceptions"]
THEMES: tuple[Theme, ...] = ("answers", "clocks", "exceptions")

#: Steps of the wall clock, in seconds.
_STEPS = (3600.0, 2 * 86_400.0, -7200.0, -86_400.0, 900.0, 60.0, -60.0, 400 * 86_400.0)

#: A session that runs longer, in virtual seconds, does not end.
_PATIENCE_S = {"answers": 40 * 3600.0, "clocks": 5400.0, "exceptions": 6 * 3600.0}

_FOREVER = 1_000_000
_STARTS_FOR = "3h"


@dataclass(frozen=True)
class Step:
    """The wall clock steps so many seconds after the nth upgrade began; `between` two sessions if that is None."""

    by_s: float
    after: int | None
    delay_s: float


@dataclass(frozen=True)
class Trial:
    """What happens. It can be taken apart: fewer faults, steps or sessions are a trial too."""

    seed: int
    index: int
    theme: Theme
    targets: int
    faults: tuple[Fault, ...] = ()
    steps: tuple[Step, ...] = ()
    drift: float = 0.0
    sessions: int = 1
    raises: tuple[str, int] | None = None
    signed: bool = False

    @property
    def clean(self) -> list[int]:
        """Targets of which every call is answered as it should be, in a scope that is."""
        if any(fault.proxy is None or fault.twist == "credentials" for fault in self.faults):
            return []
        return [number for number in range(self.targets) if all(fault.proxy != number for fault in self.faults)]


@dataclass
class Evidence:
    """What came of a trial.

    Attributes:
        written: by file name, every byte that was written.
        answers: that the cloud gave.
        plan, records, shown: the plan, its journal and its report, as the program reads and writes them.
    """

    trial: Trial
    cloud: Cloud
    secrets: tuple[bytes, ...]
    ended: list[Ended] = field(default_factory=list)
    written: dict[str, bytes] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    journal: bytes = b""
    answers: int = 0
    plan: Plan | None = None
    records: list[Record] = field(default_factory=list)
    shown: Report | None = None


def draw(seed: int, index: int, theme: Theme | None = None, twists: tuple[str, ...] = tuple(TWISTS)) -> Trial:
    """The trial of a seed and an index, perhaps of one theme and with some faults only."""
    rng = random.Random(f"{seed}/{index}")
    theme = theme or rng.choices(THEMES, (8, 3, 1))[0]
    match theme:
        case "answers":
            return Trial(seed, index, theme, **_answers(twists, rng))
        case "clocks":
            return Trial(seed, index, theme, **_clocks(rng))
        case "exceptions":
            return Trial(seed, index, theme, **_exceptions(rng))


def _answers(twists: tuple[str, ...], rng: random.Random) -> dict[str, Any]:
    targets = rng.randint(2, 4)
    everywhere = rng.random() < 0.3
    faults = tuple(_fault(twists, rng, everywhere=everywhere) for _ in range(rng.choice((1, 1, 2, 3))))
    return {"targets": targets, "faults": faults, "sessions": rng.choice((1, 1, 2)), "signed": rng.random() < 0.2}


def _fault(twists: tuple[str, ...], rng: random.Random, *, everywhere: bool) -> Fault:
    twist, kind = rng.choice(twists), rng.choice((*KINDS, "upgrade", "any"))
    return Fault(
        twist=twist,
        kind=kind,
        proxy=None if everywhere or kind == "jobs" else 0,  # a list of jobs is about no target
        first=rng.choice((0, 0, 0, 1, 3)),
        times=rng.choice((1, 1, 2, 5, _FOREVER)),
        seed=rng.getrandbits(32),
    )


def _clocks(rng: random.Random) -> dict[str, Any]:
    lost = (Fault("lost", "upgrade", 0, 0, 1, rng.getrandbits(32)),) if rng.random() < 0.5 else ()
    steps = tuple(
        Step(rng.choice(_STEPS), rng.choice((None, 1, 1, 2)), rng.choice((0.5, 5.0, 31.0, 40.0, 90.0)))
        for _ in range(rng.choice((1, 1, 2)))
    )
    drift = rng.choice((0.0, 0.0, 0.001, -0.001, 0.05))
    return {"targets": 2, "faults": lost, "steps": steps, "drift": drift, "sessions": rng.choice((1, 2))}


def _exceptions(rng: random.Random) -> dict[str, Any]:
    return {"targets": 3, "raises": (rng.choice(list(Point)).value, rng.randint(1, 3))}


def play(trial: Trial) -> Evidence:
    """Play a trial to its end."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        return _play(trial, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _play(trial: Trial, folder: Path) -> Evidence:
    rng = random.Random(f"{trial.seed}/{trial.index}/world")
    times, secrets = Times(drift=trial.drift), (rng.randbytes(24).hex().encode(),)
    cloud = Cloud(trial.targets, times, rng)
    server = Server(cloud, times, trial.faults, secrets)
    evidence = Evidence(trial, cloud, secrets)
    try:
        _write_plan(folder, cloud, server.url, signed=trial.signed)
        for number in range(trial.sessions):
            evidence.ended.append(_session(trial, number, folder, server, secrets))
            times.passed_s += 60.0
            times.off_s += sum(step.by_s for step in trial.steps if step.after is None and number == 0)
            if evidence.ended[-1].code != 5:
                break
    finally:
        server.close()
    evidence.answers = server.met["calls"]
    _collect(evidence, folder)
    return evidence


def _session(trial: Trial, number: int, folder: Path, server: Server, secrets: tuple[bytes, ...]) -> Ended:
    times, last = server.times, number == trial.sessions - 1
    times.deadline_s = times.passed_s + _PATIENCE_S[trial.theme]
    words = ["run", "plan.yaml", "--state", "state", "--log-file", "log", "--log-level", "debug"]
    held = {"AK": "AKEXAMPLE", "SK": secrets[0].decode()} if trial.signed else {"HW_AUTH_TOKEN": secrets[0].decode()}
    environ = {"HOME": str(folder), "USER": "tester", **held}

    def on_loop(loop: asyncio.AbstractEventLoop) -> None:
        server.listen(loop)
        server.on_upgrade = partial(_step, trial, server, loop)
        if not last:
            loop.call_later(45.0, os.kill, os.getpid(), signal.SIGTERM)

    with patch("orchestrator.app.session.session_parts.crasher", lambda _environ: _raiser(trial.raises)):
        return session([*words, "--max-duration", _STARTS_FOR], times, environ, on_loop, folder)


def _step(trial: Trial, server: Server, loop: asyncio.AbstractEventLoop) -> None:
    """An upgrade began: steps of the clock that belong to it are due."""
    began = sum(len(proxy.jobs) for proxy in server.cloud.proxies)
    for step in trial.steps:
        if step.after == began:
            loop.call_later(step.delay_s, _shift, server.times, step.by_s)


def _shift(times: Times, by_s: float) -> None:
    times.off_s += by_s


class Injected(RuntimeError):
    """An exception that no code expects."""


def _raiser(raises: tuple[str, int] | None) -> Any:
    passes = 0

    def reached(point: Point) -> None:
        nonlocal passes
        if raises is not None and point == raises[0]:
            passes += 1
            if passes == raises[1]:
                raise Injected("injected")

    return reached


def _write_plan(folder: Path, cloud: Cloud, url: str, *, signed: bool) -> None:
    keys = {"access_key_env": "AK", "secret_key_env": "SK"}
    plan = {
        "version": 1,
        "name": "prod",
        "region": "cn-north-4",
        "project_id": PROJECT,
        "endpoint": url,
        "iam_endpoint": url,
        "auth": keys if signed else {"token_env": "HW_AUTH_TOKEN"},
        "target_version": NEW,
        "waves": [{"name": "all"}],
        "limits": {"rate": "20/s", "in_flight": 10, "ramp": "false"},
        "failures": {"max": "100%", "max_rejected": "100%", "mode": "soft"},
        "proxies": [{"instance_id": each.instance_id, "proxy_id": each.proxy_id} for each in cloud.proxies],
    }
    (folder / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")


def _collect(evidence: Evidence, folder: Path) -> None:
    evidence.plan = load_plan(folder / "plan.yaml")
    written = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    evidence.written = {name: path.read_bytes() for name, path in written.items() if name != "plan.yaml"}
    for number, ended in enumerate(evidence.ended):
        evidence.written[f"output of session {number}"] = ended.output
    for name, content in evidence.written.items():
        if name.endswith("report.json"):
            evidence.report = json.loads(content)
            evidence.shown = msgspec.json.decode(content, type=Report)
        if name.endswith("journal.ndjson"):
            evidence.journal = content
            evidence.records = [record for _, record in read_journal(folder / name)]
