"""Cases of several hosts that are about what must be exact: caps, a strict budget, a rate, waves."""

import json
import signal

from executor.rate.test_fixed_rate import busiest_second
from fakes.e2e import IMPATIENT
from fakes.postgres_server import Server
from fakes.processes import Running

from hosts.case import HELD, LOCKED, Case, new_case, noting_slots
from hosts.slot_log import slots
from orchestrator.simulator.profile import JobShares, Lists

Figures = dict[str, float]
_KILLED = -signal.SIGKILL
#: A run of a strict budget is released so often at most.
MOST_RELEASES = 12


def caps(server: Server, seed: int) -> Figures:
    """Every cap binds, and the host that works is killed: neither log nor cloud has ever one more."""
    limits = {"concurrency": 3, "in_flight": 8, "per_instance": 2, "per_label": {"app": 3}}
    named = Lists(jobs_name_proxy=1.0)  # else nobody can tell two doubts on one instance apart
    with new_case(server, seed, per_instance=3, lists=named) as case:
        labelled = [
            {**proxy, "labels": {"app": f"a{number % 4}"}}
            for number, proxy in enumerate(case.desk.content()["proxies"])
        ]
        case.desk.write(**IMPATIENT, limits=limits, proxies=labelled)
        case.end(*_one_is_killed(case), codes=(0, _KILLED))
        peaks = case.desk.books()["peaks"]
        seen = (peaks["calls_under_way"]["upgrade"], peaks["upgrades"], peaks["upgrades_per_instance"])
        assert all(each <= most for each, most in zip(seen, (3, 8, 2), strict=True)), seen
        for name in limits:
            assert case.met[f"at {name}"], f"{name} was never reached: {case.met}"
        return {"in flight": peaks["upgrades"], "on an instance": peaks["upgrades_per_instance"]}


def strict_budget(server: Server, seed: int) -> Figures:
    """Every third upgrade fails, and the host that works is killed: never more at risk than one above the budget."""
    budget = 3
    with new_case(server, seed, jobs=JobShares(end={"failed": 1 / 3})) as case:
        failures, one_wave = {"max": budget, "mode": "strict"}, [{"name": "all"}]
        case.desk.write(**IMPATIENT, failures=failures, limits={"in_flight": 10}, waves=one_wave)
        ended, releases = {host.end().code for host in _one_is_killed(case, 3)}, 0
        while HELD in ended and releases < MOST_RELEASES and unsettled(case):
            releases += 1
            assert case.desk.cli("release", "PLAN", "--note", "go on").code == 0
            ended = {case.desk.host(f"r{releases}").end().code}
        assert not unsettled(case), ended
        assert ended <= {1, HELD, LOCKED, _KILLED}, ended
        case.expect_true(outcomes={"succeeded", "failed"})
        assert case.met["held: failures"], case.met
        return {"releases": releases}


def unsettled(case: Case) -> bool:
    """Whether a proxy has no outcome yet. The last one may hold the fleet too; a start then begins another run."""
    told = json.loads(case.desk.cli("status", "PLAN", "--format", "json").stdout)
    return not told["totals"]["outcomes"].keys() <= {"succeeded", "failed"}


def one_group(server: Server, seed: int) -> Figures:
    """Two scopes have one endpoint and one account, and the host that works is killed: together one rate."""
    rate = 20
    with new_case(server, seed, count=40) as case:
        desk = case.desk
        where = {key: desk.content()[key] for key in ("region", "project_id", "endpoint", "iam_endpoint")}
        proxies = [
            {**proxy, "scope": name} for proxy, name in zip(desk.content()["proxies"], 20 * ["a", "b"], strict=True)
        ]
        scopes, limits = {"a": where, "b": where}, {"rate": f"{rate}/s", "in_flight": 20}
        desk.write(**IMPATIENT, **dict.fromkeys(where), scopes=scopes, proxies=proxies, limits=limits)
        hosts = [noting_slots(desk, desk.plan.name, f"h{number}") for number in (0, 1)]
        desk.until_in_log("answer_seen", 8)
        case.signal(signal.SIGKILL)
        case.end(*hosts, codes=(0, _KILLED))
        peak = busiest_second(slots(desk.folder))
        assert peak <= rate, peak
        return {"calls in a second": peak}


def waves_and_approval(server: Server, seed: int) -> Figures:
    """A host is killed while a wave soaks, the next one comes to an approval, and one more dies after it."""
    with new_case(server, seed) as case:
        steps = [
            {"name": "canary", "size": 3, "soak": "3s"},
            {"name": "early", "size": "40%", "approve": True},
            {"name": "rest"},
        ]
        case.desk.write(**IMPATIENT, waves=steps)
        hosts = [case.desk.host("h0"), case.desk.host("h1")]
        case.desk.until_in_log("wave_soaking")
        case.desk.until_one_stands_by()
        case.taken_over(2, case.signal(signal.SIGKILL))
        assert {host.end().code for host in hosts} <= {HELD, LOCKED, _KILLED}
        assert case.desk.cli("release", "PLAN", "early", "--note", "go", environ=case.desk.place("desk")).code == 0
        begun = len(case.of_kind("intent"))
        case.end(*_one_is_killed(case, begun + 2), codes=(0, _KILLED))
        for kind in ("wave_opened", "wave_done"):
            assert [record["wave"] for record in case.of_kind(kind)] == ["canary", "early", "rest"], kind
        assert len(case.of_kind("wave_soaking")) == 1, "a soak goes on where another host has begun it"
        return case.figures


def _one_is_killed(case: Case, sent: int = 6) -> list[Running]:
    """Two hosts, one of which is killed once so many attempts are in the log, and the other one has taken its place."""
    sessions = len(case.of_kind("session_started"))
    hosts = [case.desk.host(f"k{sessions}")]
    case.desk.until_in_log("session_started", sessions + 1)
    hosts.append(case.desk.host(f"n{sessions}"))
    case.desk.until_one_stands_by()
    case.desk.until_in_log("intent", sent)
    case.taken_over(sessions + 2, case.signal(signal.SIGKILL))
    return hosts
