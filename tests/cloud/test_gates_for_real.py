"""Gates asked for real: a server on loopback, and programs of this machine."""

import asyncio
import email.utils
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from aiohttp import web
from anyio import to_thread
from fakes.stage import plan_of, targets_of

from orchestrator.clock import SystemClock
from orchestrator.cloud.gates.asker import open_asker
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import GateFinding, GateQuestion, HealthGate, HttpQuestion, PromqlQuestion
from orchestrator.model.plan.plan import Scope

QUESTION = GateQuestion(
    gate="g", fleet="fleet", run_id="r1", wave="canary", target_version="2.24", upgraded=3, waiting=4
)


def ask(
    gate: HealthGate, answer: Callable[[web.Request], Any] | None = None, environ: dict[str, str] | None = None
) -> GateFinding:
    """What a gate finds; `{url}` in its question is the server that gives the answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        assert answer is not None
        given = answer(request)
        return await given if asyncio.iscoroutine(given) else given  # type: ignore[no-any-return]  # a response

    async def main() -> GateFinding:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        scope = Scope(name="default", region="cn-north-4", auth=Auth(token_env="CLOUD_TOKEN"))
        plan = plan_of(targets_of(1), gates=(at(gate, url),), scopes=(scope,))
        secrets = Secrets()
        async with open_asker(plan, environ=environ or {}, clock=SystemClock(), secrets=secrets) as asker:
            finding = await asker.ask(plan.gates[0], QUESTION)
        await runner.cleanup()
        return finding

    return anyio.run(main, backend="asyncio")


def ask_together(gates: Sequence[HealthGate], answer: Callable[[web.Request], Awaitable[web.Response]]) -> list[str]:
    """What gates find that are asked at the same time, all of one server: the answer of each, in their order."""

    async def main() -> list[str]:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        plan = plan_of(targets_of(1), gates=tuple(at(gate, url) for gate in gates))
        async with open_asker(plan, environ={}, clock=SystemClock(), secrets=Secrets()) as asker:
            found = await asyncio.gather(*(asker.ask(gate, QUESTION) for gate in plan.gates))
        await runner.cleanup()
        return [finding.answer for finding in found]

    return anyio.run(main, backend="asyncio")


def at(gate: HealthGate, url: str) -> HealthGate:

    questions = {
        kind: msgspec.structs.replace(asked, url=asked.url.format(url=url))
        for kind in ("http", "promql")
        if (asked := getattr(gate, kind)) is not None
    }
    return msgspec.structs.replace(gate, **questions)


def http(**values: Any) -> HealthGate:
    return HealthGate(name="g", http=HttpQuestion(url="{url}/ready?deep=1", **values), timeout_s=5.0)


def promql(**values: Any) -> HealthGate:
    return HealthGate(name="g", promql=PromqlQuestion(url="{url}/prom", query='up{job="a b"}', **values), timeout_s=5.0)


def vector(*values: str) -> Callable[[web.Request], web.Response]:
    return lambda _request: web.json_response(evaluated(time.time(), *values))


def evaluated(instant: float, *values: str) -> dict[str, Any]:
    """What Prometheus answers: samples as of an instant."""
    rows = [{"metric": {"pod": "p"}, "value": [instant, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": rows}}


def result(data: Any) -> Callable[[web.Request], web.Response]:
    return lambda _request: web.json_response({"status": "success", "data": data})


@pytest.mark.parametrize(
    ("status", "expect", "answer"),
    [(200, (200,), "passes"), (503, (200,), "fails"), (302, (200,), "fails"), (503, (200, 503), "passes")],
)
def test_the_status_is_the_answer_of_a_url(status: int, expect: tuple[int, ...], answer: str) -> None:
    def reply(request: web.Request) -> web.Response:
        assert (request.method, request.path_qs) == ("GET", "/ready?deep=1")
        return web.Response(status=status, text="all\nwell", headers={"Location": "/elsewhere"})

    finding = ask(http(expect=expect), reply)
    assert (finding.answer, finding.status, finding.evidence) == (answer, status, f"HTTP {status} all well")


def test_a_url_that_nobody_serves_is_no_answer() -> None:
    gate = HealthGate(name="g", http=HttpQuestion(url="http://127.0.0.1:9/"), timeout_s=5.0)
    finding = ask(gate)
    assert finding.answer == "error"
    assert "127.0.0.1:9" in finding.evidence


def test_an_answer_that_does_not_come_in_time_is_none() -> None:
    async def never(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    finding = ask(msgspec.structs.replace(http(), timeout_s=0.3), never)
    assert (finding.answer, finding.status) == ("error", None)


def test_no_gate_waits_for_the_connection_of_another() -> None:
    """The server answers when all have asked: a gate that hangs must not make that of its neighbour none."""
    gates = [msgspec.structs.replace(http(), name=f"g{number}", timeout_s=20.0) for number in range(5)]
    asked, all_asked = [], asyncio.Event()

    async def when_all_have_asked(request: web.Request) -> web.Response:
        asked.append(request)
        if len(asked) == len(gates):
            all_asked.set()
        await all_asked.wait()
        return web.Response(status=500)

    assert ask_together(gates, when_all_have_asked) == ["fails"] * len(gates)


def test_the_token_is_sent_and_never_kept() -> None:
    def reply(request: web.Request) -> web.Response:
        return web.Response(status=500, text=f"you sent {request.headers['Authorization']}")

    finding = ask(http(token_env="T"), reply, {"T": "s3cr3t-token-of-the-gate"})
    assert finding.answer == "fails"
    assert "s3cr3t" not in finding.evidence


def test_a_token_that_is_not_there_is_no_answer() -> None:
    finding = ask(http(token_env="T"), lambda _request: web.Response())
    assert (finding.answer, finding.evidence) == ("error", "environment variable T is not set")


@pytest.mark.parametrize(
    ("values", "samples", "answer", "value"),
    [
        ({"max": 0.01}, ("0.001", "0.009"), "passes", 0.009),
        ({"max": 0.01}, ("0.001", "0.02"), "fails", 0.02),
        ({"min": 1}, ("1", "3"), "passes", 1.0),
        ({"min": 1}, ("0", "3"), "fails", 0.0),
        ({"max": 1, "min": 0}, ("NaN", "0.5"), "error", None),
        ({"max": 1}, ("+Inf",), "fails", float("inf")),
        ({"max": 1}, (), "error", None),
        ({"max": 1}, ("NaN",), "error", None),
    ],
)
def test_every_sample_must_keep_the_bounds(values: Any, samples: tuple[str, ...], answer: str, value: float) -> None:
    finding = ask(promql(**values), vector(*samples))
    assert (finding.answer, finding.value) == (answer, value)


def test_the_query_reaches_prometheus_as_it_is_written() -> None:
    seen = []

    def reply(request: web.Request) -> web.Response:
        seen.append((request.path, request.query["query"]))
        return vector("0")(request)

    assert ask(promql(max=1), reply).answer == "passes"
    assert seen == [("/prom/api/v1/query", 'up{job="a b"}')]


@pytest.mark.parametrize(
    "reply",
    [
        lambda _request: web.Response(text="<html>"),
        lambda _request: web.Response(text="[" * 1000),
        lambda _request: web.Response(status=400, text='{"status": "error"}'),
        result({"resultType": "matrix", "result": []}),
        result({"resultType": "vector", "result": [{"value": [1, "high"]}]}),
        result({"resultType": "vector", "result": [{"value": [1, "1_0"]}]}),
        result({"resultType": "vector", "result": [{"value": [1, " 0"]}]}),
        result({"resultType": "vector"}),
        lambda _request: web.json_response({**evaluated(time.time(), "0"), "status": "error", "error": "it timed out"}),
    ],
)
def test_what_is_no_result_is_no_answer(reply: Callable[[web.Request], web.Response]) -> None:
    assert ask(promql(max=1), reply).answer == "error"


def test_the_words_of_a_server_that_cannot_answer_are_the_evidence() -> None:
    told = {"status": "error", "errorType": "bad_data", "error": "parse error at char 3"}
    finding = ask(promql(max=1), lambda _request: web.json_response(told))
    assert (finding.answer, finding.evidence) == ("error", "the answer is no result: error: parse error at char 3")


@pytest.mark.parametrize("sample", ["0", "-0.5", "1e-05", "1.5E+3", "-Inf"])
def test_numbers_are_read_as_prometheus_writes_them(sample: str) -> None:
    finding = ask(promql(max=2000), vector(sample))
    assert (finding.answer, finding.value) == ("passes", float(sample))


@pytest.mark.parametrize("part", [{"warnings": ["store 10.0.0.7: connection refused"]}, {"isPartial": True}])
@pytest.mark.parametrize(("sample", "answer"), [("0", "error"), ("2", "fails")])
def test_a_part_of_an_answer_passes_nothing(part: dict[str, Any], sample: str, answer: str) -> None:
    finding = ask(promql(max=1), lambda _request: web.json_response(evaluated(time.time(), sample) | part))
    assert finding.answer == answer
    assert answer == "fails" or "a partial answer" in finding.evidence


@pytest.mark.parametrize("told", [{"warnings": []}, {"infos": ["metric might not be a counter"]}, {"isPartial": False}])
def test_a_whole_answer_may_say_more(told: dict[str, Any]) -> None:
    finding = ask(promql(max=1), lambda _request: web.json_response(evaluated(time.time(), "0") | told))
    assert finding.answer == "passes"


def test_a_scalar_is_a_result() -> None:
    assert ask(promql(max=1), result({"resultType": "scalar", "result": [time.time(), "0.5"]})).value == 0.5


#: Beyond what any test takes, and what any gate here bears.
_OLD_S = 7200.0


@pytest.mark.parametrize(
    ("gate", "reply"),
    [
        (http(), lambda _request: web.Response(text="all well", headers={"Age": "7200"})),
        (promql(max=1), lambda _request: web.json_response(evaluated(time.time() - _OLD_S, "0"))),
    ],
    ids=["of a cache that says so", "evaluated long before it was sent"],
)
def test_an_old_answer_is_none(gate: HealthGate, reply: Callable[[web.Request], web.Response]) -> None:
    finding = ask(gate, reply)
    assert (finding.answer, finding.status) == ("error", 200)
    assert "an old answer, of 2 h" in finding.evidence


def test_what_a_cache_has_had_for_a_while_is_so_old() -> None:
    gate = msgspec.structs.replace(http(), every_s=600.0)
    finding = ask(gate, lambda _request: web.Response(headers={"Age": "500"}))
    assert (finding.answer, finding.age_s) == ("passes", 500.0)


@pytest.mark.parametrize("told", ["", "soon", "-7200", "7200, 7200", "9" * 5000])
def test_what_is_no_age_says_nothing(told: str) -> None:
    assert ask(http(), lambda _request: web.Response(headers={"Age": told})).answer == "passes"


def test_the_clock_of_a_prometheus_server_may_be_another() -> None:
    """Its samples are as old as its own `Date` says."""

    def reply(_request: web.Request) -> web.Response:
        sent = email.utils.formatdate(time.time() - _OLD_S, usegmt=True)
        return web.json_response(evaluated(time.time() - _OLD_S, "0"), headers={"Date": sent})

    assert ask(promql(max=1), reply).answer == "passes"


@pytest.mark.parametrize(("status", "answer"), [(500, "fails"), (200, "error")])
@pytest.mark.parametrize("size", [10, 2 << 20], ids=["cut off", "too large"])
def test_without_the_whole_answer_a_bad_status_fails_and_a_good_one_passes_nothing(
    status: int, answer: str, size: int
) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Length": str(size + 1)})
        await response.prepare(request)
        await response.write(b"x" * size)
        response.force_close()
        return response

    finding = ask(http(), reply)
    assert (finding.answer, finding.status) == (answer, status)


def test_a_bad_status_fails_also_when_its_text_never_ends() -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    finding = ask(msgspec.structs.replace(http(), timeout_s=3.0, on_error="open"), reply)
    assert finding.answer == "fails"


def test_a_part_of_a_result_is_no_result() -> None:
    finding = ask(promql(max=1), lambda _request: web.json_response(evaluated(time.time(), "0"), status=206))
    assert (finding.answer, finding.status) == ("error", 206)


@pytest.mark.parametrize(("code", "answer"), [(0, "passes"), (1, "fails"), (2, "error"), (127, "error")])
def test_the_exit_status_is_the_answer_of_a_program(code: int, answer: str) -> None:
    gate = HealthGate(name="g", command=("sh", "-c", f"echo all well; exit {code}"))
    finding = ask(gate, environ={"PATH": os.environ["PATH"]})
    assert (finding.answer, finding.status) == (answer, code)
    assert "all well" in finding.evidence


@pytest.mark.parametrize(("code", "answer"), [(0, "passes"), (1, "fails")])
def test_a_program_that_prints_much_has_its_say(code: int, answer: str) -> None:
    gate = HealthGate(
        name="g", command=("sh", "-c", f"head -c 300000 /dev/zero | tr '\\0' x; exit {code}"), timeout_s=60.0
    )
    finding = ask(gate, environ={"PATH": os.environ["PATH"]})
    assert (finding.answer, finding.evidence) == (answer, "x" * 500)


def test_a_program_that_prints_for_ever_ends_at_its_time_out() -> None:
    finding = ask(HealthGate(name="g", command=("yes",), timeout_s=0.5), environ={"PATH": os.environ["PATH"]})
    assert (finding.answer, finding.evidence) == ("error", "yes did not end within 0.5 s")


@pytest.mark.parametrize("code", [0, 1, 2])
def test_what_a_program_prints_to_either_output_is_the_evidence(code: int) -> None:
    gate = HealthGate(name="g", command=("sh", "-c", f"echo lag 9; echo no access >&2; exit {code}"))
    finding = ask(gate, environ={"PATH": os.environ["PATH"]})
    assert finding.evidence.endswith("lag 9 no access")


def test_a_program_is_told_where_the_run_stands_and_finds_no_secret(tmp_path: Path) -> None:
    script = tmp_path / "check"
    script.write_text("cat; echo; env")
    environ = {"PATH": os.environ["PATH"], "CLOUD_TOKEN": "abc-of-the-cloud", "HW_AUTH_TOKEN": "def", "OTHER": "kept"}
    finding = ask(HealthGate(name="g", command=("sh", str(script))), environ=environ)
    told, _, rest = finding.evidence.partition("} ")
    assert json.loads(told + "}") == {
        "gate": "g", "fleet": "fleet", "run_id": "r1", "wave": "canary", "target_version": "2.24", "upgraded": 3,
        "waiting": 4,
    }  # fmt: skip
    assert "OTHER=kept" in rest
    assert "CLOUD_TOKEN" not in rest
    assert "HW_AUTH_TOKEN" not in rest


#: How a child may leave: its group and session, its parent as well, the mark of its family.
LEAVES = {
    "stays": "sleep 600 &",
    "leaves its session": "setsid sleep 600 &",
    "leaves its session and its parent": "(setsid sh -c 'sleep 600 & echo $! >&3; exit' &) 3>{pid}.deep; sleep 600 &",
    "leaves its session and its mark": "env -i PATH=$PATH setsid sleep 600 &",
}


@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
def test_a_program_that_hangs_is_killed_with_its_children(leave: str, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"{leave.format(pid=pid)} echo $! > {pid}; wait"
    finding = ask(
        HealthGate(name="g", command=("sh", "-c", script), timeout_s=3.0), environ={"PATH": os.environ["PATH"]}
    )
    assert finding.answer == "error"
    children, deadline = [int(path.read_text()) for path in tmp_path.iterdir()], time.monotonic() + 60
    assert len(children) == 1 + ("deep" in leave)
    while any(map(_lives, children)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_program_that_is_not_there_is_no_answer() -> None:
    finding = ask(HealthGate(name="g", command=("no-such-check",)), environ={"PATH": "/nowhere"})
    assert (finding.answer, finding.evidence) == ("error", "no-such-check cannot be run: No such file or directory")


def test_a_program_waits_for_no_thread_of_another() -> None:
    gate = HealthGate(name="g", command=("true",), timeout_s=20.0)
    plan = plan_of(targets_of(1), gates=(gate,))

    async def main() -> GateFinding:
        common = to_thread.current_default_thread_limiter()
        common.total_tokens = 1
        async with open_asker(plan, environ=os.environ, clock=SystemClock(), secrets=Secrets()) as asker, common:
            return await asker.ask(gate, QUESTION)

    assert anyio.run(main, backend="asyncio").answer == "passes"
