"""Tokens, keys and profiles that are lying about, and what is said when they are not."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.wire.transport import open_transport
from orchestrator.errors import PlanError
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Http
from orchestrator.model.reply.reply import NotSent, Unauthenticated

pytestmark = pytest.mark.anyio

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
PROJECT = "0123456789abcdef0123456789abcdef"

KEYS = Auth(access_key_env="A", secret_key_env="S", security_token_env="T")
LOGIN = Auth(user="fleet-bot", domain="account", password_env="PASSWORD")


async def test_token_from_environment(asked: Any) -> None:
    assert (await asked(Auth(token_env="MY"), {"MY": " abc\n"}))["X-Auth-Token"] == "abc"


async def test_token_from_file_is_read_again(serve: Any, connect: Any, cloud: Any, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    async with serve(cloud.answer) as address, connect(address, auth=Auth(token_file=str(path)), environ={}) as client:
        await client.proxy_version(INSTANCE, PROXY)
        assert (cloud.headers()["X-Auth-Token"], client.generation) == ("first", 1)
        path.write_text("second\n")
        assert await client.prepare() is None
        await client.proxy_version(INSTANCE, PROXY)
        assert cloud.headers()["X-Auth-Token"] == "first"
        assert await client.renew() is None
        await client.proxy_version(INSTANCE, PROXY)
        assert (cloud.headers()["X-Auth-Token"], client.generation) == ("second", 2)
        path.unlink()
        assert isinstance(await client.renew(), Unauthenticated)
        assert isinstance(await client.proxy_version(INSTANCE, PROXY), NotSent)


async def test_token_from_command(asked: Any) -> None:
    script = "import os; print(os.environ['SEED'] * 2)"
    headers = await asked(
        Auth(token_command=(sys.executable, "-c", script)), {"SEED": "x$(y)", "PATH": os.environ["PATH"]}
    )
    assert headers["X-Auth-Token"] == "x$(y)x$(y)"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; print('TOKEN-' + 'a' * 40); sys.exit('no: ' + 'S3cr3t' * 8)", "ended with 1; run it by hand"),
        ("raise SystemExit(3)", "ended with 3; run it by hand"),
        ("print()", "output of token_command"),
        ("print('two words')", "blanks"),
        ("print('\"TOKEN-1\"')", "stands in quotes"),
        ("print('TOKEN-' * 100000)", "printed more than 65536 bytes"),
        ("import os; os.close(1); os.kill(os.getpid(), 9)", "ended with -9"),
    ],
)
async def test_token_command_that_fails(refused: Any, script: Any, words: str) -> None:
    reason = await refused(Auth(token_command=(sys.executable, "-c", script)), {})
    assert words in reason
    assert "S3cr3t" not in reason
    assert "TOKEN-" not in reason


async def test_token_command_that_hangs(serve: Any, connect: Any, cloud: Any) -> None:
    auth = Auth(token_command=(sys.executable, "-c", "import time; time.sleep(9)"))
    http = Http(timeout_s=0.1)
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=auth, environ={}, http=http, prepared=False) as client,
    ):
        failure = await client.prepare()
    assert "did not end within 0.1 s" in failure.reason


async def test_a_child_of_the_token_command_that_keeps_its_output_open_is_not_waited_for(
    asked: Any, tmp_path: Path
) -> None:
    """A credential helper starts an agent, which lives on."""
    path, fifo = tmp_path / "pid", tmp_path / "fifo"
    environ = {"PATH": os.environ["PATH"]}
    os.mkfifo(fifo)
    script = f"(cat {fifo}) & echo $! > {path}; echo TOKEN"
    try:
        headers = await asked(Auth(token_command=("/bin/sh", "-c", script)), environ)
    finally:
        os.kill(int(path.read_text()), 9)  # raises when it has ended
    assert headers["X-Auth-Token"] == "TOKEN"


async def test_a_token_command_that_hangs_is_killed_with_its_children(
    serve: Any, connect: Any, cloud: Any, tmp_path: Path
) -> None:
    """Its end is seen at the other end of a FIFO, which is read to its end once nobody holds it open any more."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    auth = Auth(token_command=("/bin/sh", "-c", f"exec 3>{fifo}; sleep 600 & wait"))
    environ = {"PATH": os.environ["PATH"]}
    reader = asyncio.create_task(asyncio.to_thread(fifo.read_bytes))
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=auth, environ=environ, http=Http(timeout_s=0.5), prepared=False) as client,
    ):
        assert "did not end" in (await client.prepare()).reason
    os.close(os.open(fifo, os.O_RDWR))  # lets the reader go if the command never got to opening it
    assert await asyncio.wait_for(reader, 30) == b""


async def test_missing_secrets_are_named(refused: Any, tmp_path: Path) -> None:
    folder = str(tmp_path)
    for auth, environ, name in [
        (Auth(token_env="MY"), {}, "MY"),
        (Auth(token_env="MY"), {"MY": "  "}, "MY is empty"),
        (Auth(token_env="MY"), {"MY": "a\nb"}, "MY holds"),
        (Auth(token_env="MY"), {"MY": "pässword"}, "MY holds"),
        (Auth(token_file="/no/such/file"), {}, "/no/such/file: No such file"),
        (Auth(token_file=folder), {}, folder),
        (Auth(token_env="MY"), {"MY": "'hush-hush'"}, "MY stands in quotes"),
        (KEYS, {"A": '"a"'}, "A stands in quotes"),
        (LOGIN, {"PASSWORD": '"hush hush"\n'}, "PASSWORD stands in quotes"),
        (LOGIN, {"PASSWORD": "hush\nhush"}, "PASSWORD holds line breaks"),
        (LOGIN, {"PASSWORD": "hush\udcff"}, "PASSWORD holds line breaks, or characters"),
        (LOGIN, {"PASSWORD": " \n"}, "PASSWORD is empty"),
        (Auth(token_command=("/no/such/program",)), {}, "/no/such/program"),
        (KEYS, {}, "A is not set"),
        (KEYS, {"A": "a"}, "S is not set"),
        (KEYS, {"A": "a", "S": "s"}, "T is not set"),
        (LOGIN, {}, "PASSWORD is not set"),
        (Auth(user="u", domain="d", password_file="/no/such/file"), {}, "/no/such/file"),
        (Auth(profile="basic"), {"HOME": folder}, ".huaweicloud/credentials"),
        (Auth(), {"HOME": folder, "HUAWEICLOUD_SDK_AK": "a"}, "HUAWEICLOUD_SDK_SK"),
    ]:
        reason = await refused(auth, environ)
        assert name in reason
        assert "hush" not in reason


async def test_empty_chain_names_every_place(refused: Any, tmp_path: Path) -> None:
    reason = await refused(Auth(), {"HOME": str(tmp_path)})
    for name in ("HW_AUTH_TOKEN", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HW_ACCESS_KEY", "HW_SECRET_KEY",
                 str(tmp_path / ".huaweicloud/credentials")):  # fmt: skip
        assert name in reason


def profile(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "credentials"
    path.write_text(text)
    return {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(path)}


async def test_chain_takes_the_first_that_is_there(asked: Any, tmp_path: Path) -> None:
    environ = profile(tmp_path, "[basic]\nak = PROFILE\nsk = x\n")
    assert "Access=PROFILE," in (await asked(Auth(), environ))["Authorization"]
    environ |= {"HW_ACCESS_KEY": "TERRAFORM", "HW_SECRET_KEY": "x", "HW_SECURITY_TOKEN": "hw"}
    headers = await asked(Auth(), environ)
    assert "Access=TERRAFORM," in headers["Authorization"]
    assert headers["X-Security-Token"] == "hw"
    environ |= {"HUAWEICLOUD_SDK_AK": "SDK", "HUAWEICLOUD_SDK_SK": "x"}
    headers = await asked(Auth(), environ)
    assert "Access=SDK," in headers["Authorization"]
    assert "X-Security-Token" not in headers
    environ |= {"HW_AUTH_TOKEN": "token"}
    headers = await asked(Auth(), environ)
    assert headers["X-Auth-Token"] == "token"
    assert "Authorization" not in headers


@pytest.mark.parametrize("section", ["basic", "basiccredentials"])
@pytest.mark.parametrize("written", ["basic", "basiccredentials"])
async def test_profile_sections(asked: Any, tmp_path: Path, section: str, written: Any) -> None:
    environ = profile(tmp_path, f"[{written}]\nak = ACCESS\nsk = s%ec%%ret\nsecurity_token = st\nproject_id = p\n")
    headers = await asked(Auth(profile=section), environ)
    assert "Access=ACCESS," in headers["Authorization"]
    assert headers["X-Security-Token"] == "st"
    assert headers["X-Project-Id"] == PROJECT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[other]\nak=x\n", "no section [basic]"),
        ("[basic]\nak=x\n", "[basic] sk is empty"),
        ("sk = hush-hush\n[basic", "not an INI file"),
        ("[basic]\nak\nhush-hush", "not an INI file"),
        ("\xff", "credentials"),
        ("[basic]\nak='hush-hush'\nsk=x\n", "[basic] ak stands in quotes"),
        ('[basic]\nak=x\nsk="hush-hush"\n', "[basic] sk stands in quotes"),
        ("[basic]\nak=x\nsk=x\nsecurity_token = 'hush'\n", "[basic] security_token stands in quotes"),
    ],
)
async def test_profile_that_cannot_be_used(refused: Any, tmp_path: Path, text: str, words: str) -> None:
    reason = await refused(Auth(profile="basic"), profile(tmp_path, text))
    assert words in reason
    assert "hush" not in reason


async def test_secrets_of_every_kind_are_trimmed_alike(asked: Any, cloud: Any, tmp_path: Path, login: Any) -> None:
    (tmp_path / "file").write_text(" hush-hush \r\n")
    path, environ = str(tmp_path / "file"), {"V": " hush-hush \r\n", "PATH": os.environ["PATH"]}
    for auth in (Auth(token_env="V"), Auth(token_file=path), Auth(token_command=("cat", path))):
        assert (await asked(auth, environ))["X-Auth-Token"] == "hush-hush"
    assert (await asked(Auth(), {"HW_AUTH_TOKEN": environ["V"]}))["X-Auth-Token"] == "hush-hush"
    headers = await asked(Auth(access_key_env="V", secret_key_env="V", security_token_env="V"), environ)
    assert "Access=hush-hush," in headers["Authorization"]
    assert headers["X-Security-Token"] == "hush-hush"
    cloud.login = login
    for auth in (Auth(user="u", domain="d", password_env="V"), Auth(user="u", domain="d", password_file=path)):
        await asked(auth, environ)
        body = next(body for _, path, _, body in reversed(cloud.seen) if path == "/v3/auth/tokens")
        assert b'"password":"hush-hush"' in body


@pytest.fixture
def login() -> Any:
    return lambda _number: web.json_response({}, status=201, headers={"X-Subject-Token": "tok"})


def _link(tmp_path: Path, target: Path) -> Path:
    (tmp_path / "link").symlink_to(target)
    return tmp_path / "link"


@pytest.mark.parametrize("kind", ["token", "password", "profile", "ca_file"])
async def test_a_credential_file_that_is_no_file_is_not_waited_for(refused: Any, tmp_path: Path, kind: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    auth, environ = {
        "token": (Auth(token_file=str(fifo)), {}),
        "password": (Auth(user="u", domain="d", password_file=str(fifo)), {}),
        "profile": (Auth(profile="basic"), {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(fifo)}),
        "ca_file": (Auth(token_env="V"), {}),
    }[kind]
    if kind == "ca_file":
        with pytest.raises(PlanError, match=r"http\.ca_file: .*: Not a regular file"):
            async with open_transport(Http(ca_file=str(fifo)), connections=1, environ={}, clock=SystemClock()):
                pass
    else:
        assert "Not a regular file" in await refused(auth, environ)


async def test_a_link_of_our_own_is_followed_as_kubernetes_mounts_secrets(asked: Any, tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "token").write_text("mounted")
    path = _link(tmp_path, tmp_path / "..data" / "token")
    assert (await asked(Auth(token_file=str(path)), {}))["X-Auth-Token"] == "mounted"


async def test_a_link_to_what_everybody_may_write_is_not_followed(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush")
    (tmp_path / "token").chmod(0o666)
    path = _link(tmp_path, tmp_path / "token")
    assert "A link to a file that everybody may write is not followed" in await refused(Auth(token_file=str(path)), {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("what", ["link", "token"])
async def test_a_link_of_others_is_not_followed(refused: Any, tmp_path: Path, what: str) -> None:
    (tmp_path / "token").write_text("hush")
    path = _link(tmp_path, tmp_path / "token")
    os.chown(tmp_path / what, 12345, 12345, follow_symlinks=False)
    assert "belongs to another user" in await refused(Auth(token_file=str(path)), {})


async def test_home_is_the_environments(asked: Any, tmp_path: Path) -> None:
    folder = tmp_path / ".huaweicloud"
    folder.mkdir()
    (folder / "credentials").write_text("[basiccredentials]\nak=HOME\nsk=x\n")
    assert "Access=HOME," in (await asked(Auth(), {"HOME": str(tmp_path)}))["Authorization"]


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hush-hush")
    assert "hush" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hush-hush"
    assert secret == Secret("hush-hush") != Secret("other")
    with pytest.raises(TypeError, match="not written"):
        __import__("pickle").dumps(secret)
