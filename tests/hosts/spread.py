"""Cases in which several hosts work at once: each scope is reached from hosts of its own, and one host decides."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fakes.e2e import IMPATIENT
from fakes.held_jobs import held as held_jobs
from fakes.postgres_server import Server
from fakes.processes import Running

from hosts.bounds import MOST_RELEASES, unsettled
from hosts.case import HELD, IN_FLIGHT, LOCKED, Case, new_case, now
from hosts.clocks import clock_off
from orchestrator.simulator.profile import JobShares, Lists

Figures = dict[str, float]
NEAR, FAR, ANY, SPARE = "near", "far", "any", "spare"
_KILLED = -signal.SIGKILL


@contextmanager
def spread_case(server: Server, seed: int, *, count: int = 30, plan: dict[str, Any], **world: Any) -> Iterator[Case]:
    """A fleet over three scopes with credentials of their own: one for hosts `near-*`, one for `far-*`, one for all."""
    with new_case(server, seed, count=count, **world) as case:
        desk = case.desk
        where = {key: desk.content()[key] for key in ("region", "project_id", "endpoint", "iam_endpoint")}
        names = {NEAR: [f"{NEAR}-*", SPARE], FAR: [f"{FAR}-*", SPARE], ANY: []}
        scopes = {name: _scope(where, name, hosts) for name, hosts in names.items()}
        proxies = desk.content()["proxies"]
        for number, proxy in enumerate(proxies):
            proxy["scope"] = [*scopes][number // 3 % len(scopes)]
            proxy["labels"] = {"scope": proxy["scope"], "app": f"a{number % 4}"}
        desk.write(**IMPATIENT, **dict.fromkeys(where), scopes=scopes, proxies=proxies, **plan)
        yield case


def _scope(where: dict[str, Any], name: str, hosts: list[str]) -> dict[str, Any]:
    return {**where, "auth": {"token_env": f"{name.upper()}_TOKEN"}, **({"hosts": hosts} if hosts else {})}


def start(case: Case, name: str, environ: dict[str, str] | None = None) -> Running:
    """`run` on a host, which has the credentials of what it may serve."""
    scopes = (NEAR, FAR, ANY) if name == SPARE else (name.partition("-")[0], ANY)
    tokens = {f"{scope.upper()}_TOKEN": case.desk.token for scope in scopes}
    return case.desk.host(name, environ={**tokens, **(environ or {})})


def served_at_once(server: Server, seed: int) -> Figures:
    """Two scopes are upgraded at once; the only host of one dies, the other goes on, and one that joins takes it up."""
    plan = {"waves": [{"name": "all"}], "limits": {"in_flight": IN_FLIGHT, "per_label": {"scope": 2}}}
    with spread_case(server, seed, count=18, plan=plan, fates=held_jobs()) as case:
        first = start(case, "near-1")
        case.desk.until_in_log("session_started")
        second = start(case, "far-1")
        _until_sent(case, FAR, 2)
        os.kill(second.process.pid, signal.SIGKILL)
        unserved = f"scope {FAR}: paused, no host may serve it but {FAR}-*, {SPARE}"
        case.desk.until(lambda: unserved in case.desk.cli("status", "PLAN", environ=case.desk.place("desk")).stdout)
        third = start(case, "far-2")
        case.desk.until_in_log("scope_served", 2)
        case.desk.end_jobs()
        case.end(first, second, third, codes=(0, _KILLED))
        assert len(case.of_kind("session_started")) == 1, "one session, whoever came and went"
        assert {each["name"] for each in case.desk.report["run"]["hosts"]} == {"near-1", "far-1", "far-2"}
        return case.figures


def _until_sent(case: Case, scope: str, count: int) -> None:
    """Wait until so many upgrades of a scope were accepted."""
    proxies = json.loads(case.desk.plan.read_text(encoding="utf-8"))["proxies"]
    there = {each["proxy_id"] for each in proxies if each["scope"] == scope}
    case.desk.until(lambda: sum(each["target"] in there for each in case.of_kind("answer_seen")) >= count)


def lead_killed(server: Server, seed: int) -> Figures:
    """The host that decides is killed while another one serves: that one takes its place, or the third does."""
    with spread_case(server, seed, plan={"limits": {"in_flight": IN_FLIGHT}}) as case:
        hosts = three(case)
        time.sleep(case.random.uniform(0.0, 2.0))
        case.taken_over(2, case.signal(signal.SIGKILL))
        case.end(*hosts, codes=(0, _KILLED))
        return case.figures


def server_killed(server: Server, seed: int) -> Figures:
    """A host that serves is killed, and the third one goes on there."""
    with spread_case(server, seed, plan={"limits": {"in_flight": IN_FLIGHT}}) as case:
        hosts = three(case)
        served = len(case.of_kind("scope_served"))
        hosts[1].process.kill()
        case.desk.until(lambda: len(case.of_kind("scope_served")) > served)
        case.end(*hosts, codes=(0, _KILLED))
        assert len(case.of_kind("session_started")) == 1
        return case.figures


def server_frozen(server: Server, seed: int) -> Figures:
    """A host that serves stands still until another one serves in its place, and wakes up."""
    with spread_case(server, seed, plan={"limits": {"in_flight": IN_FLIGHT}}) as case:
        hosts = three(case)
        served = len(case.of_kind("scope_served"))
        hosts[1].signal(signal.SIGSTOP)
        case.desk.until(lambda: len(case.of_kind("scope_served")) > served)
        hosts[1].signal(signal.SIGCONT)
        case.end(*hosts)
        return case.figures


def server_off(server: Server, seed: int) -> Figures:
    """The clock of a host that serves is 3 s ahead: what it writes is timed by the database's, and another goes on."""
    with spread_case(server, seed, plan={"limits": {"in_flight": IN_FLIGHT}}) as case:
        hosts = three(case, clock_off(case, 3.0))
        served = case.of_kind("scope_served")
        assert max(datetime.fromisoformat(each["at"]) for each in served) <= now()
        hosts[1].process.kill()
        case.desk.until(lambda: len(case.of_kind("scope_served")) > len(served))
        case.end(*hosts, codes=(0, _KILLED))
        return case.figures


def spread_caps(server: Server, seed: int) -> Figures:
    """Every cap binds over hosts that work at once: neither log nor cloud has ever one more."""
    limits = {"concurrency": 3, "in_flight": 8, "per_instance": 2, "per_label": {"app": 3}}
    with spread_case(server, seed, plan={"limits": limits}, per_instance=3, lists=Lists(jobs_name_proxy=1.0)) as case:
        case.end(*three(case))
        peaks = case.desk.books()["peaks"]
        seen = (peaks["calls_under_way"]["upgrade"], peaks["upgrades"], peaks["upgrades_per_instance"])
        assert all(each <= most for each, most in zip(seen, (3, 8, 2), strict=True)), seen
        for name in ("concurrency", "in_flight", "per_label"):
            assert case.met[f"at {name}"], f"{name} was never reached: {case.met}"
        return {"in flight": peaks["upgrades"], "calls at once": peaks["calls_under_way"]["upgrade"]}


def spread_budget(server: Server, seed: int) -> Figures:
    """Every third upgrade fails, on hosts that work at once: never more at risk than one above a strict budget."""
    plan = {"failures": {"max": 3, "mode": "strict"}, "limits": {"in_flight": 10}, "waves": [{"name": "all"}]}
    with spread_case(server, seed, plan=plan, jobs=JobShares(end={"failed": 1 / 3})) as case:
        hosts, releases = three(case), 0
        ended = {host.end().code for host in hosts}
        while HELD in ended and releases < MOST_RELEASES and unsettled(case):
            releases += 1
            assert case.desk.cli("release", "PLAN", "--note", "go on").code == 0
            ended = {host.end().code for host in three(case)}
        assert not unsettled(case), ended
        case.expect_true(outcomes={"succeeded", "failed"})
        assert case.met["held: failures"], case.met
        return {"releases": releases}


def spread_waves(server: Server, seed: int) -> Figures:
    """Waves soak and are verified over hosts that work at once, and one waits for an approval."""
    steps = [
        {"name": "canary", "size": 6, "soak": "2s"},
        {"name": "early", "size": "40%", "approve": True},
        {"name": "rest"},
    ]
    with spread_case(server, seed, plan={"waves": steps}) as case:
        assert {host.end().code for host in three(case)} <= {HELD, LOCKED}
        assert case.desk.cli("release", "PLAN", "early", "--note", "go", environ=case.desk.place("desk")).code == 0
        case.end(*three(case))
        for kind in ("wave_opened", "wave_done"):
            assert [record["wave"] for record in case.of_kind(kind)] == ["canary", "early", "rest"], kind
        assert len(case.of_kind("reverified")) == 6
        return case.figures


def three(case: Case, environ: dict[str, str] | None = None) -> list[Running]:
    """A host that decides, one that serves what it may not, and one that may take the place of either.

    `environ`: what the second one has beside the others.
    """
    sessions, served = (len(case.of_kind(name)) for name in ("session_started", "scope_served"))
    hosts = [start(case, f"{NEAR}-1")]
    case.desk.until_in_log("session_started", sessions + 1)
    hosts.append(start(case, f"{FAR}-1", environ))
    case.desk.until_in_log("scope_served", served + 1)
    return [*hosts, start(case, SPARE)]
