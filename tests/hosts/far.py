"""Cases in which one host is 40 ms away from the database, there and back."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread

from fakes.databases import state_in
from fakes.far_database import FarDatabase, far_from
from fakes.logged import A, B, begun, missing
from fakes.postgres_server import Server
from fakes.recorded import BEGIN
from tracker.postgres.test_two_hosts_serve import LONG_S, ServesOne

from hosts.case import IN_FLIGHT, Case, new_case
from hosts.spread import spread_case, three

_KILLED = -signal.SIGKILL
_ONE_WAY_S = 0.02
_APPENDS = 150


def far_appends(server: Server, _seed: int) -> dict[str, float]:
    """A host that serves is far away: what its appends take, and those of the host at work meanwhile."""
    with tempfile.TemporaryDirectory() as folder, far_from(server, one_way_s=_ONE_WAY_S) as far:
        address = server.new_database()
        near = state_in(address, Path(folder), host="bj-1")
        away = state_in(far.address(address), Path(folder), host="sh-1")
        with closing(near.seat.database), closing(away.seat.database):
            run, fleet, serves = begun(near), near.fleet("prod"), ServesOne(away)
            stands_by = Thread(target=serves.stand_by)
            with fleet.lock(BEGIN):
                leads = run.resume(2)
                fleet.want_served(["sh-*"])
                stands_by.start()
                assert serves.joined.wait(LONG_S)
                alone_s = [_took_s(lambda: leads.append([missing(A)])) for _ in range(_APPENDS)]
                trips, done, beside_s = far.round_trips, Event(), list[float]()
                appends = Thread(
                    target=_until(done, lambda: beside_s.append(_took_s(lambda: leads.append([missing(A)]))))
                )
                appends.start()
                far_s = [_took_s(lambda: serves.adds(missing(B))) for _ in range(_APPENDS)]
                done.set()
                appends.join()
                each = (far.round_trips - trips) / _APPENDS
            stands_by.join()
    assert each <= 1.3, each  # with its beats, and its looks at who works
    return {
        "round trips an append": round(each, 2),
        "an append in times of the way": round(median(far_s) / (2 * _ONE_WAY_S), 2),
        "others' p99 ms": round(1000 * _p99(beside_s), 1),
        "others' p99 ms without it": round(1000 * _p99(alone_s), 1),
    }


def far_works(server: Server, seed: int, *, number: int) -> dict[str, float]:
    """The host that works is far away. It is killed, or stands still until a near one works, and wakes up."""
    with new_case(server, seed) as case, far_from(server, one_way_s=_ONE_WAY_S) as far:
        hosts = [case.desk.host("h0", environ=_by(far, case))]
        case.desk.until_in_log("session_started")
        hosts.append(case.desk.host("h1"))
        case.desk.until_one_stands_by()
        case.desk.until_in_log("intent", 2)
        time.sleep(case.random.uniform(0.0, 1.0))
        still = case.of_kind("session_started")[-1]["pid"]
        case.taken_over(2, case.signal(number))
        if number == signal.SIGSTOP:
            os.kill(still, signal.SIGCONT)
        case.end(*hosts, codes=(0, _KILLED))
        return case.figures


def far_serves(server: Server, seed: int, *, number: int) -> dict[str, float]:
    """The same of a host that serves beside a near one that works; a third one, near too, goes on."""
    with (
        spread_case(server, seed, plan={"limits": {"in_flight": IN_FLIGHT}}) as case,
        far_from(server, one_way_s=_ONE_WAY_S) as far,
    ):
        hosts = three(case, _by(far, case))
        served = len(case.of_kind("scope_served"))
        hosts[1].signal(number)
        case.desk.until(lambda: len(case.of_kind("scope_served")) > served)
        if number == signal.SIGSTOP:
            hosts[1].signal(signal.SIGCONT)
        case.end(*hosts, codes=(0, _KILLED))
        return case.figures


def _by(far: FarDatabase, case: Case) -> dict[str, str]:
    return {"ORCHESTRATOR_STATE": far.address(case.desk.address)}


def _until(done: Event, act: Callable[[], object]) -> Callable[[], None]:
    def loop() -> None:
        while not done.is_set():
            act()

    return loop


def _took_s(act: Callable[[], object]) -> float:
    began_s = time.monotonic()
    act()
    return time.monotonic() - began_s


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[-1]
