"""Clouds that cannot be used: a clear message, exit 7, no traceback, and a report that claims nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes.bad_servers import HTML, answer, bad_server, certificate
from fakes.e2e import IMPATIENT, NOBODY, Desk, NewCloud, expect_truth
from fakes.processes import Ended

from orchestrator.simulator.profile import JobFate, ScriptedFate

REFUSED_CREDENTIALS = b'{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information"}'


@contextmanager
def _world(name: str, folder: Path) -> Iterator[str]:
    """The address of a cloud that cannot be used."""
    if name == "closed port":
        yield NOBODY
    elif name == "unknown name":
        yield "https://host.invalid"
    elif name == "wrong certificate":
        with bad_server(answer("200 OK", b"{}"), context=certificate(folder, "127.0.0.1")[0]) as server:
            yield server.url
    else:
        with bad_server(_SAYS[name]) as server:
            yield server.url


_SAYS = {
    "html": answer("200 OK", HTML, "Content-Type: text/html"),
    "bad gateway": answer("502 Bad Gateway", HTML, "Content-Type: text/html"),
    "silent": None,
    "redirect": answer("302 Found", b"", "Location: http://127.0.0.1:1/elsewhere"),
    "not http": b"220 mail.example ESMTP\r\n",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
    "empty": b"",
    "huge": answer("200 OK", b"[" + b" " * 2_000_000),
    "credentials": answer("401 Unauthorized", REFUSED_CREDENTIALS, "Content-Type: application/json"),
    "forbidden": answer("403 Forbidden", HTML, "Content-Type: text/html"),
}

#: What the message must say, in lower case.
WORLDS = {
    "closed port": "connection refused by 127.0.0.1:9",
    "unknown name": "the name host.invalid cannot be resolved",
    "wrong certificate": "certificate verify failed",
    "html": "welcome to the hotel wireless",
    "bad gateway": "502",
    "silent": "no whole answer from 127.0.0.1",
    "redirect": "302",
    "not http": "did not answer with http",
    "cut": "cut off",
    "empty": "before it answered",
    "huge": "larger than 1 mib",
    "credentials": "incorrect iam authentication information",
    "forbidden": "403",
}


def _desk(tmp_path: Path, desk: Desk, url: str, *, silent: bool = False) -> Desk:
    made = Desk(tmp_path, url=url, targets=desk.targets)
    made.write(http={"timeout": "200ms"} if silent else {}, retry={"attempts": 2})
    return made


@pytest.mark.parametrize(("world", "words"), WORLDS.items(), ids=str)
def test_run_says_why_and_claims_nothing(desk: Desk, tmp_path: Path, world: str, words: str) -> None:
    with _world(world, tmp_path) as url:
        desk = _desk(tmp_path, desk, url, silent=world == "silent")
        ended = desk.run()
    _expect_summary(ended, words)
    report = desk.report
    assert report["totals"]["outcomes"] == {"waiting": 3}
    assert report["totals"]["upgrade_calls"] == 0
    assert report["run"]["state"] == "unfinished"
    assert report["run"]["exit_code"] == 7


@pytest.mark.parametrize(("world", "words"), WORLDS.items(), ids=str)
def test_plan_says_why(desk: Desk, tmp_path: Path, world: str, words: str) -> None:
    with _world(world, tmp_path) as url:
        desk = _desk(tmp_path, desk, url, silent=world == "silent")
        ended = desk.cli("plan", "PLAN")
    _expect_message(ended, words)
    assert not desk.state.exists(), "a preview writes nothing"


def _expect_summary(ended: Ended, words: str) -> None:
    """Once, where a person reads what came of the night: in cron's mail too."""
    assert (ended.code, ended.messages) == (7, [])
    (why,) = (line for line in ended.stdout.splitlines() if line.startswith("why: "))
    assert why.startswith("why: scope default cannot be used: ")
    assert words in why.lower()


def _expect_message(ended: Ended, words: str) -> None:
    assert ended.code == 7, ended
    assert len(ended.messages) == 1, ended.messages
    assert ended.messages[0].startswith("orchestrator: scope default cannot be used: ")
    assert words in ended.messages[0].lower()


def test_a_scope_that_comes_back_lets_the_run_go_on(desk: Desk, new_cloud: NewCloud) -> None:
    desk.write(retry={"attempts": 1})
    assert desk.run().code == 7
    back = new_cloud(3)
    assert back.run().code == 2
    ended = back.run("--new")
    assert ended.code == 0


def test_wrong_credentials_are_not_hammered(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    ended = desk.run(environ={"HW_AUTH_TOKEN": "wrong"})
    _expect_summary(ended, "401")
    assert desk.books()["refused_credentials"] <= 2
    assert desk.run().code == 0


def test_without_credentials_all_ways_are_named(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    for verb in ("plan", "run"):
        ended = desk.cli(verb, "PLAN", environ={"HW_AUTH_TOKEN": ""})
        assert ended.code == 7
        for name in ("HW_AUTH_TOKEN", "HUAWEICLOUD_SDK_AK", "HW_ACCESS_KEY", ".huaweicloud"):
            assert name in ended.stderr
        assert ended.stdout == ""
    assert desk.books()["calls"] == {}
    assert not desk.state.exists(), "no run began, and no folder was made"


def test_without_credentials_a_run_that_has_begun_gets_no_further_session(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.cli("hold", "PLAN", "--note", "wait")
    assert desk.run().code == 3
    before = (desk.run_folder / "journal.ndjson").read_bytes()
    ended = desk.run(environ={"HW_AUTH_TOKEN": ""})
    assert ended.code == 7
    assert "HW_AUTH_TOKEN" in ended.stderr
    assert (desk.run_folder / "journal.ndjson").read_bytes() == before


def test_plain_http_is_refused_except_to_loopback(desk: Desk) -> None:
    desk.write(endpoint="http://cloud.example")
    for verb in ("plan", "run"):
        ended = desk.cli(verb, "PLAN")
        assert ended.code == 2
        assert "plain http" in ended.stderr
    assert not desk.state.exists()


def test_a_private_authority_is_trusted_when_it_is_named(desk: Desk, tmp_path: Path) -> None:
    context, authority = certificate(tmp_path, "127.0.0.1")
    with bad_server(answer("502 Bad Gateway", HTML), context=context) as server:
        desk = Desk(tmp_path, url=server.url, targets=desk.targets)
        desk.write(retry={"attempts": 1}, http={"ca_file": str(authority)})
        _expect_summary(desk.run(), "502")
        assert server.requests


def test_redirects_are_not_followed(desk: Desk, tmp_path: Path) -> None:
    with (
        bad_server(answer("200 OK", b"{}")) as elsewhere,
        bad_server(answer("307 Temporary Redirect", b"", f"Location: {elsewhere.url}/x")) as server,
    ):
        _desk(tmp_path, desk, server.url).run()
        assert server.requests
        assert elsewhere.requests == []


def test_one_scope_that_cannot_be_used_does_not_stop_the_others(new_cloud: NewCloud) -> None:
    desk = new_cloud(4)
    common = {"region": "cn-north-4", "project_id": desk.content()["project_id"]}
    scopes = {"good": {**common, "endpoint": desk.url}, "bad": {**common, "endpoint": NOBODY}}
    proxies = [{**each, "scope": "bad" if n > 1 else "good"} for n, each in enumerate(desk.content()["proxies"])]
    top = dict.fromkeys(("region", "project_id", "endpoint", "iam_endpoint"))
    desk.write(**top, scopes=scopes, proxies=proxies, waves=[{"name": "all"}], retry={"attempts": 2})
    ended = desk.run()
    assert ended.code == 7
    assert "why: scope bad cannot be used: connection refused by 127.0.0.1:9\n" in ended.stdout
    assert desk.report["totals"]["outcomes"] == {"succeeded": 2, "waiting": 2}


def test_a_cloud_that_gives_the_ids_of_another_run_again_is_sent_nothing_twice(new_cloud: NewCloud) -> None:
    """The second cloud begins anew: the answer names an id of the first run, and so does the job on our instance."""
    assert new_cloud(1).run().code == 0
    failing = (ScriptedFate(fate=JobFate(end="failed"), proxy_id=f"{0:032x}po01"),)
    desk = new_cloud(3, fates=failing)
    desk.name = "second"
    desk.write(**IMPATIENT, waves=[{"name": "all"}])
    assert desk.run().code == 6
    assert set(desk.effective_starts().values()) == {1}
    (doubtful,) = (each for each in expect_truth(desk)["targets"] if each["outcome"] == "in_doubt")
    assert "of fleet prod has that workflow_id, for proxy" in doubtful["evidence"][-1]
