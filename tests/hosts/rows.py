"""The cases of several hosts, each a function that plays it once: figures come back, or an AssertionError."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from executor.rate.test_fixed_rate import busiest_second
from fakes.held_jobs import end_those_that_run
from fakes.held_jobs import held as held_jobs
from fakes.postgres_server import Server, new_server

from hosts.bounds import caps, one_group, strict_budget, waves_and_approval
from hosts.case import HELD, IN_FLIGHT, LOCKED, new_case, noting_slots, now
from hosts.clocks import a_little_off, far_off
from hosts.far import far_appends, far_serves, far_works
from hosts.slot_log import slots
from hosts.spread import (
    lead_killed,
    served_at_once,
    server_frozen,
    server_killed,
    server_off,
    spread_budget,
    spread_caps,
    spread_waves,
)
from orchestrator.app.process.die_at_point import VARIABLE
from orchestrator.executor.crash_points import Point
from orchestrator.simulator.profile import Latency

UNSERVED = 7
Figures = dict[str, float]


class Row(NamedTuple):
    """A case.

    Attributes:
        times: how often it is played.
        play: once; gets the server and a seed.
    """

    number: str
    what: str
    times: int
    play: Callable[[Server, int], Figures]


def killed(server: Server, seed: int, *, deaths: int = 1, workers: bool = False) -> Figures:
    """The host that works is killed at a random instant, and perhaps the next one as well."""
    with new_case(server, seed) as case:
        hosts = [case.desk.host("h0")]
        case.desk.until_in_log("session_started")
        others = range(1, deaths + 1)
        hosts += [case.desk.worker(f"h{n}") if workers else case.desk.host(f"h{n}") for n in others]
        case.desk.until_one_stands_by()
        for death in others:
            case.desk.until_in_log("intent", 2 + 8 * (death - 1))
            time.sleep(case.random.uniform(0.0, 1.0))
            case.taken_over(death + 1, case.signal(signal.SIGKILL))
        case.end(*hosts, codes=(0, -signal.SIGKILL))
        return case.figures


def killed_at_each_point(server: Server, seed: int) -> Figures:
    """The first host is killed at each named instant in turn."""
    figures: Figures = {}
    for point in Point:
        with new_case(server, seed, count=8) as case:
            first = case.desk.host("h0", environ={VARIABLE: f"{point}:3"})
            case.desk.until_in_log("run_started")
            case.end(first, case.desk.host("h1"), codes=(0, -signal.SIGKILL))
            figures |= {name: max(value, figures.get(name, 0.0)) for name, value in case.figures.items()}
    return figures


def frozen(server: Server, seed: int) -> Figures:
    """The host that works stands still until another one works, and wakes up."""
    with new_case(server, seed) as case:
        hosts = [case.desk.host("h0"), case.desk.host("h1")]
        case.desk.until_in_log("intent", 2)
        time.sleep(case.random.uniform(0.0, 1.0))
        still = case.of_kind("session_started")[-1]["pid"]
        case.taken_over(2, case.signal(signal.SIGSTOP))
        os.kill(still, signal.SIGCONT)
        case.end(*hosts)
        return case.figures


def late_answer(server: Server, seed: int) -> Figures:
    """It stands still between call and answer, and its jobs are seen by nobody until it wakes up."""
    slow = Latency(median_s=400.0, sigma=0.0)
    with new_case(server, seed, count=8, latency=slow) as case:
        case.desk.write(http={"timeout": "30s"}, retry={"resend_after": "60s"}, limits={"in_flight": IN_FLIGHT})
        hosts = [case.desk.host("h0"), case.desk.host("h1")]
        case.desk.until_in_log("intent", 3)
        still = case.of_kind("session_started")[-1]["pid"]
        case.taken_over(2, case.signal(signal.SIGSTOP))
        os.kill(still, signal.SIGCONT)
        case.end(*hosts)
        return case.figures


def outage(_server: Server, seed: int, *, seconds: float) -> Figures:
    """The database is stopped as by a crash, and comes back."""
    with _own_server() as server, new_case(server, seed) as case:
        hosts = [case.desk.host("h0"), case.desk.host("h1")]
        case.desk.until_in_log("answer_seen", 3)
        server.stop()
        time.sleep(seconds)
        server.start()
        back = now()
        case.end(*hosts)
        assert len(case.of_kind("session_started")) == 1, "a silence that all share replaces nobody"
        later = [at for each in case.of_kind("intent") if (at := _at(each)) > back]
        if later:
            case.note("sends again after s", (min(later) - back).total_seconds())
        return case.figures


def one_rate(server: Server, seed: int) -> Figures:
    """Two fleets of one account on two hosts, and one of them is taken over."""
    rate = 20
    with new_case(server, seed, count=40) as case:
        desk = case.desk
        desk.write(limits={"rate": f"{rate}/s", "in_flight": 20})
        content = json.loads(desk.plan.read_text(encoding="utf-8"))
        for name, part in (("one", slice(None, None, 2)), ("other", slice(1, None, 2))):
            plan = {**content, "proxies": content["proxies"][part]}
            (desk.folder / f"{name}.yaml").write_text(json.dumps(plan), encoding="utf-8")
        hosts = [
            noting_slots(desk, f"{name}.yaml", f"{name}-{number}") for name in ("one", "other") for number in (0, 1)
        ]
        desk.until_in_log("answer_seen", 8)
        case.signal(signal.SIGKILL)
        ended = sorted(host.end().code for host in hosts)
        assert ended == [-signal.SIGKILL, 0, 0, LOCKED], ended
        peak = busiest_second(slots(desk.folder))
        assert peak <= rate, peak
        assert set(desk.effective_starts().values()) == {1}
        return {"calls in a second": peak}


def started_together(server: Server, seed: int) -> Figures:
    """`run` on five hosts at the same instant."""
    with new_case(server, seed, count=6) as case:
        ended = sorted(host.end().code for host in [case.desk.host(f"h{number}") for number in range(5)])
        assert ended == [0, LOCKED, LOCKED, LOCKED, LOCKED], ended
        assert [len(case.of_kind(name)) for name in ("run_started", "session_started")] == [1, 1]
        case.expect_true()
        return case.figures


def held(server: Server, seed: int, *, alone: bool = False) -> Figures:
    """A person holds the fleet from a host that does nothing for it, perhaps while nobody works on it."""
    with new_case(server, seed, count=8 if alone else 30) as case:
        hosts = [case.desk.host("h0"), case.desk.host("h1")]
        case.desk.until_in_log("answer_seen", 3)
        if alone:
            case.signal(signal.SIGKILL)
        assert case.desk.cli("hold", "PLAN", "--note", "look", environ=case.desk.place("desk")).code == 0
        given = now()
        codes = {host.end().code for host in hosts}
        assert codes <= {HELD, LOCKED, -signal.SIGKILL}, codes
        assert HELD in codes
        late = [each for each in case.of_kind("intent") if _at(each) > given + timedelta(seconds=1)]
        assert not late, late
        assert case.desk.cli("release", "PLAN", "--note", "fine").code == 0
        case.end(case.desk.host("h2"))
        return case.figures


def disjoint(server: Server, seed: int) -> Figures:
    """Each of two scopes has hosts of its own, which never meet: the second goes on; a third host may serve none."""
    with new_case(server, seed, count=8, fates=held_jobs()) as case:
        desk = case.desk
        where = {key: desk.content()[key] for key in ("region", "project_id", "endpoint", "iam_endpoint")}
        scopes = {
            name: {**where, "auth": {"token_env": f"{name.upper()}_TOKEN"}, "hosts": [f"{name}-*"]}
            for name in ("near", "far")
        }
        proxies = [
            {**proxy, "scope": name} for proxy, name in zip(desk.content()["proxies"], 4 * [*scopes], strict=True)
        ]
        waves, limits = [{"name": "all"}], {"in_flight": 1}
        desk.write(**dict.fromkeys(where), scopes=scopes, proxies=proxies, waves=waves, limits=limits)
        assert desk.host("elsewhere").end().code == UNSERVED
        near, far = ({f"{name.upper()}_TOKEN": desk.token} for name in scopes)
        first = desk.host("near-1", environ=near)
        desk.until_in_log("job_seen")
        unserved = "scope far: paused, no host may serve it but far-*"
        desk.until(lambda: unserved in desk.cli("status", "PLAN", environ=desk.place("desk")).stdout)
        desk.end_jobs()
        assert first.end().code == UNSERVED
        case.end(desk.host("far-1", environ=far))
        assert len(case.of_kind("session_started")) == 2
        return case.figures


def told_alike(server: Server, seed: int) -> Figures:
    """Every host prints the same report, and so does a folder that the run was exported into."""
    with new_case(server, seed, count=8) as case:
        case.end(case.desk.host("h0"))
        words = ("report", "PLAN", "--format", "json")
        told = {case.desk.cli(*words, environ=case.desk.place(f"h{number}")).stdout for number in range(3)}
        told.add(case.desk.cli(*words, environ={"ORCHESTRATOR_STATE": str(case.desk.state)}).stdout)
        assert len(told) == 1
        return case.figures


def rolling_restart(server: Server, seed: int) -> Figures:
    """Three workers are told to stop one after the other, and started again."""
    with new_case(server, seed, count=8, fates=held_jobs()) as case:
        case.desk.write(waves=[{"name": "all"}], limits={"in_flight": 2})
        assert case.desk.cloud is not None
        hosts = [case.desk.host("h0")]
        case.desk.until_in_log("session_started")
        hosts += [case.desk.worker(f"h{number}") for number in (1, 2)]
        for number in (1, 2, 3):
            case.desk.until_in_log("job_seen", 2 * number)
            case.desk.until_one_stands_by()
            end_those_that_run(case.desk.cloud)
            case.desk.until_in_log("intent", 2 * number + 1)
            case.signal(signal.SIGTERM)
            case.desk.until_in_log("session_started", number + 1)
            ended, began = _at(case.of_kind("session_ended")[-1]), _at(case.of_kind("session_started")[-1])
            case.note("pause s", (began - ended).total_seconds())
            hosts.append(case.desk.worker(f"h{number + 2}"))
        case.desk.until_in_log("job_seen", 8)
        case.desk.end_jobs()
        case.end(*hosts, codes=(0, 5))
        assert not case.of_kind("answer_missing"), "nothing was in doubt"
        return case.figures


def folder_alone(server: Server, seed: int) -> Figures:
    """With a folder as state nothing of the extra is imported."""
    with new_case(server, seed, count=2) as case:
        script = (
            "import sys; from orchestrator.cli.main import main; code = main(sys.argv[1:]);"
            "sys.exit(code or any(name.startswith('psycopg') or '.postgres.d' in name for name in sys.modules))"
        )
        environ = {**case.desk.base_environ(), "ORCHESTRATOR_STATE": str(case.desk.state)}
        words = [sys.executable, "-c", script, "run", str(case.desk.plan), "--no-progress", "--quiet"]
        done = subprocess.run(words, env=environ, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return {}


def _at(record: dict[str, str]) -> datetime:
    return datetime.fromisoformat(record["at"])


@contextmanager
def _own_server() -> Iterator[Server]:
    server = new_server()
    server.start()
    try:
        yield server
    finally:
        server.remove()


ROWS = (
    Row("1a", "`kill -9` of the host that works, at a random instant", 20, killed),
    Row("1b", "the same, and workers with no plan file stand by", 10, partial(killed, workers=True)),
    Row("1c", "`kill -9` of two of three, one after the other", 5, partial(killed, deaths=2)),
    Row("1d", "`kill -9` at each of the named instants", 1, killed_at_each_point),
    Row("1e", "`kill -9` of the host that decides while another one serves", 10, lead_killed),
    Row("1f", "`kill -9` of a host that serves", 10, server_killed),
    Row("2", "it stands still until another works, and wakes up", 10, frozen),
    Row("2b", "a host that serves stands still until another one does, and wakes up", 5, server_frozen),
    Row("3", "it stands still between call and answer", 5, late_answer),
    Row("4a", "the database is away for 2 s", 3, partial(outage, seconds=2.0)),
    Row("4b", "the database is away for 8 s", 3, partial(outage, seconds=8.0)),
    Row("4c", "the database is away for 60 s", 1, partial(outage, seconds=60.0)),
    Row("5", "every cap binds, by the log and by the cloud's books, with a takeover", 5, caps),
    Row("5b", "every cap binds over hosts that work at once", 5, spread_caps),
    Row("6", "a strict budget, with a takeover and releases", 5, strict_budget),
    Row("6b", "a strict budget over hosts that work at once, with releases", 5, spread_budget),
    Row("7", "two fleets of one account on two hosts, with a takeover: 20 calls a second", 5, one_rate),
    Row("8", "two scopes of one account in one fleet, with a takeover: 20 calls a second", 5, one_group),
    Row("9", "`run` on five hosts at the same instant", 20, started_together),
    Row("10a", "`hold` from a host that does nothing", 5, held),
    Row("10b", "`hold` while nobody works", 3, partial(held, alone=True)),
    Row("11, 17", "every host and an exported folder tell the same; the auditor finds nothing", 3, told_alike),
    Row(
        "12a",
        "each scope has hosts of its own, which never meet: each goes on where another may do no more",
        3,
        disjoint,
    ),
    Row("12b", "two scopes are upgraded at once; the only host of one dies, and another one joins", 5, served_at_once),
    Row("13", "a wave soaks, the next one waits for approval, and hosts are killed in between", 5, waves_and_approval),
    Row("13b", "waves soak, are verified and wait for approval over hosts that work at once", 5, spread_waves),
    Row("14a", "the next host's clock is 3 s off", 4, a_little_off),
    Row("14b", "a host's clock is 60 s off: it takes part in nothing", 4, far_off),
    Row("14c", "the clock of a host that serves is 3 s ahead; it is killed, and another one goes on", 4, server_off),
    Row("16", "workers are stopped and started one after the other", 3, rolling_restart),
    Row("18", "a folder as state imports nothing of the extra", 1, folder_alone),
    Row(
        "19a",
        "a host that serves is 40 ms away from the database: what appends take there and elsewhere",
        3,
        far_appends,
    ),
    Row("19b", "the host that works is 40 ms away, and is killed", 3, partial(far_works, number=signal.SIGKILL)),
    Row("19c", "it is 40 ms away, stands still, and wakes up", 3, partial(far_works, number=signal.SIGSTOP)),
    Row("19d", "a host that serves is 40 ms away, and is killed", 3, partial(far_serves, number=signal.SIGKILL)),
    Row("19e", "it is 40 ms away, stands still, and wakes up", 3, partial(far_serves, number=signal.SIGSTOP)),
)
