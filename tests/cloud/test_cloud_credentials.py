import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from orchestrator.cloud.credentials.secret import Secret
from orchestrator.model.plan import Auth, Http
from orchestrator.model.reply import Answered, NotSent, Throttled, Unauthenticated

pytestmark = pytest.mark.anyio

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
PROJECT = "0123456789abcdef0123456789abcdef"
VERSION = {"current_version": "2.24.03.000"}

KEYS = Auth(access_key_env="A", secret_key_env="S", security_token_env="T")
LOGIN = Auth(user="fleet-bot", domain="account", password_env="PASSWORD")


class Cloud:
    """Answers proxy-version, logins and the metadata service, and keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.logins = 0
        self.login: Any = None
        self.metadata: dict[str, tuple[int, str]] = {}

    async def answer(self, request: web.Request) -> Any:
        body = await request.read()
        self.seen.append((request.method, request.path, request.headers, body))
        if request.path.endswith("/proxy-version"):
            return web.json_response(VERSION)
        if request.path == "/v3/auth/tokens":
            self.logins += 1
            return self.login(self.logins)
        status, text = self.metadata.get(request.path, (404, ""))
        return web.Response(status=status, text=text)

    def headers(self) -> Any:
        return next(headers for _, path, headers, _ in reversed(self.seen) if path.endswith("/proxy-version"))


@pytest.fixture
def cloud() -> Any:
    return Cloud()


@pytest.fixture
def asked(serve: Any, connect: Any, cloud: Cloud) -> Any:
    """The headers of one call made with these credentials."""

    async def _asked(auth: Any, environ: Any) -> Any:
        async with serve(cloud.answer) as address, connect(address, auth=auth, environ=environ) as client:
            assert isinstance(await client.proxy_version(INSTANCE, PROXY), Answered)
        return cloud.headers()

    return _asked


@pytest.fixture
def refused(serve: Any, connect: Any, cloud: Cloud) -> Any:
    """Why these credentials cannot be used; nothing may have been asked with them."""

    async def _refused(auth: Any, environ: Any) -> Any:
        async with (
            serve(cloud.answer) as address,
            connect(address, auth=auth, environ=environ, prepared=False) as client,
        ):
            failure = await client.prepare()
            assert client.generation == 0
        assert isinstance(failure, Unauthenticated)
        return failure.reason

    return _refused


async def test_token_from_environment(asked: Any) -> None:
    assert (await asked(Auth(token_env="MY"), {"MY": " abc\n"}))["X-Auth-Token"] == "abc"


async def test_token_from_file_is_read_again(serve: Any, connect: Any, cloud: Cloud, tmp_path: Path) -> None:
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


async def test_token_from_command(asked: Any, tmp_path: Path) -> None:
    script = "import os; print(os.environ['SEED'] * 2)"
    headers = await asked(
        Auth(token_command=(sys.executable, "-c", script)), {"SEED": "x$(y)", "PATH": os.environ["PATH"]}
    )
    assert headers["X-Auth-Token"] == "x$(y)x$(y)"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; print('TOKEN-' + 'a' * 40); sys.exit('no: ' + 'S3cr3t' * 8)", "ended with 1: no: ***"),
        ("raise SystemExit(3)", "ended with 3: no message"),
        ("print()", "output of token_command"),
        ("print('two words')", "blanks"),
    ],
)
async def test_token_command_that_fails(refused: Any, script: Any, words: str) -> None:
    reason = await refused(Auth(token_command=(sys.executable, "-c", script)), {})
    assert words in reason
    assert "S3cr3t" not in reason
    assert "TOKEN-" not in reason


async def test_token_command_that_hangs(serve: Any, connect: Any, cloud: Cloud) -> None:
    auth = Auth(token_command=(sys.executable, "-c", "import time; time.sleep(9)"))
    http = Http(timeout_s=0.1)
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=auth, environ={}, http=http, prepared=False) as client,
    ):
        failure = await client.prepare()
    assert "did not end within 0.1 s" in failure.reason


async def test_missing_secrets_are_named(refused: Any, tmp_path: Path) -> None:
    folder = str(tmp_path)
    for auth, environ, name in [
        (Auth(token_env="MY"), {}, "MY"),
        (Auth(token_env="MY"), {"MY": "  "}, "MY is empty"),
        (Auth(token_env="MY"), {"MY": "a\nb"}, "MY holds"),
        (Auth(token_env="MY"), {"MY": "pässword"}, "MY holds"),
        (Auth(token_file="/no/such/file"), {}, "/no/such/file: No such file"),
        (Auth(token_file=folder), {}, folder),
        (Auth(token_command=("/no/such/program",)), {}, "/no/such/program"),
        (KEYS, {}, "A is not set"),
        (KEYS, {"A": "a"}, "S is not set"),
        (KEYS, {"A": "a", "S": "s"}, "T is not set"),
        (LOGIN, {}, "PASSWORD is not set"),
        (Auth(user="u", domain="d", password_file="/no/such/file"), {}, "/no/such/file"),
        (Auth(profile="basic"), {"HOME": folder}, ".huaweicloud/credentials"),
        (Auth(), {"HOME": folder, "HUAWEICLOUD_SDK_AK": "a"}, "HUAWEICLOUD_SDK_SK"),
    ]:
        assert name in await refused(auth, environ)


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
    ],
)
async def test_profile_that_cannot_be_used(refused: Any, tmp_path: Path, text: str, words: str) -> None:
    reason = await refused(Auth(profile="basic"), profile(tmp_path, text))
    assert words in reason
    assert "hush" not in reason


async def test_home_is_the_environments(asked: Any, tmp_path: Path) -> None:
    folder = tmp_path / ".huaweicloud"
    folder.mkdir()
    (folder / "credentials").write_text("[basiccredentials]\nak=HOME\nsk=x\n")
    assert "Access=HOME," in (await asked(Auth(), {"HOME": str(tmp_path)}))["Authorization"]


# A login with a password.


def token(clock: Any, name: str = "tok", lifetime_s: float = 86400.0) -> Any:
    issued = clock.now()

    def stamp(moment: Any) -> Any:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    body = {"token": {"issued_at": stamp(issued), "expires_at": stamp(issued + timedelta(seconds=lifetime_s))}}
    return web.json_response(body, status=201, headers={"X-Subject-Token": name})


async def test_login_sends_what_the_documentation_says(asked: Any, cloud: Cloud, clock: Any) -> None:
    cloud.login = lambda _: token(clock, "long-token")
    headers = await asked(LOGIN, {"PASSWORD": "pass word"})
    assert headers["X-Auth-Token"] == "long-token"
    method, path, headers, body = cloud.seen[0]
    assert (method, path) == ("POST", "/v3/auth/tokens")
    assert "X-Auth-Token" not in headers
    assert json.loads(body) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "fleet-bot", "password": "pass word", "domain": {"name": "account"}}},
            },
            "scope": {"project": {"id": PROJECT}},
        }
    }


async def test_login_by_region_with_a_password_from_a_file(
    serve: Any, connect: Any, cloud: Cloud, clock: Any, tmp_path: Path
) -> None:
    (tmp_path / "pw").write_text(" pass word \n")
    cloud.login = lambda _: token(clock)
    auth = Auth(user="u", domain="d", password_file=str(tmp_path / "pw"))
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=auth, environ={}, project_id=None, prepared=False) as client,
    ):
        await client.prepare()
    body = json.loads(cloud.seen[0][3])["auth"]
    assert body["scope"] == {"project": {"name": "cn-north-4"}}
    assert body["identity"]["password"]["user"]["password"] == " pass word "


async def test_login_is_renewed_before_its_end_also_with_a_wrong_clock(
    serve: Any, connect: Any, cloud: Cloud, clock: Any
) -> None:
    issued = clock.now()
    clock.utc += timedelta(hours=5)  # ours runs ahead of the cloud's
    real = clock.utc
    clock.utc = issued
    answer = token(clock, "first", 3600)
    clock.utc = real
    cloud.login = lambda number: answer if number == 1 else token(clock, "second")
    async with serve(cloud.answer) as address, connect(address, auth=LOGIN, environ={"PASSWORD": "p"}) as client:
        clock.advance(2999)
        assert await client.prepare() is None
        assert cloud.logins == 1
        clock.advance(2)
        assert await client.prepare() is None
        await client.proxy_version(INSTANCE, PROXY)
        assert (cloud.logins, client.generation) == (2, 2)
        assert cloud.headers()["X-Auth-Token"] == "second"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"code": 401, "message": "wrong hunter2-hunter2"}}, Unauthenticated),
        (403, {"error_code": "IAM.0011", "error_msg": "no"}, Unauthenticated),
        (400, {"error_msg": "no such project", "error_code": "IAM.0002"}, Unauthenticated),
        (429, {"error_code": "IAM.0012", "error_msg": "10 times per 60 seconds"}, Throttled),
        (503, {}, NotSent),
        (200, {}, NotSent),
    ],
)
async def test_login_that_fails(serve: Any, connect: Any, cloud: Cloud, status: int, body: Any, kind: Any) -> None:
    cloud.login = lambda _: web.json_response(body, status=status)
    environ = {"PASSWORD": "hunter2-hunter2"}
    async with serve(cloud.answer) as address, connect(address, auth=LOGIN, environ=environ, prepared=False) as client:
        failure = await client.prepare()
    assert type(failure) is kind
    assert "hunter2" not in repr(failure)
    if isinstance(failure, Throttled):
        assert failure.retry_after_s == 60
    else:
        assert "IAM login of fleet-bot" in failure.reason


# An agency of the ECS.

TOKEN_PATH, KEY_PATH = "/meta-data/latest/api/token", "/openstack/latest/securitykey"


def temporary(clock: Any, lifetime_s: float, access: Any = "TEMP") -> Any:
    expires = (clock.now() + timedelta(seconds=lifetime_s)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    return json.dumps(
        {"credential": {"access": access, "secret": "sec", "securitytoken": "stk", "expires_at": expires}}
    )


async def test_agency(asked: Any, cloud: Cloud, clock: Any) -> None:
    cloud.metadata = {TOKEN_PATH: (200, "metadata-token"), KEY_PATH: (200, temporary(clock, 86400))}
    headers = await asked(Auth(agency=True), {})
    assert "Access=TEMP," in headers["Authorization"]
    assert headers["X-Security-Token"] == "stk"
    assert [(method, path) for method, path, _, _ in cloud.seen[:2]] == [("PUT", TOKEN_PATH), ("GET", KEY_PATH)]
    assert cloud.seen[0][2]["X-Metadata-Token-Ttl-Seconds"] == "21600"
    assert cloud.seen[1][2]["X-Metadata-Token"] == "metadata-token"


async def test_agency_without_metadata_tokens(serve: Any, connect: Any, cloud: Cloud, clock: Any) -> None:
    cloud.metadata = {TOKEN_PATH: (405, ""), KEY_PATH: (200, temporary(clock, 86400))}
    async with serve(cloud.answer) as address, connect(address, auth=Auth(agency=True), environ={}) as client:
        assert await client.renew() is None
    assert [path for _, path, _, _ in cloud.seen] == [TOKEN_PATH, KEY_PATH, KEY_PATH]
    assert "X-Metadata-Token" not in cloud.seen[1][2]


async def test_agency_is_renewed_when_less_than_40_minutes_remain(
    serve: Any, connect: Any, cloud: Cloud, clock: Any
) -> None:
    cloud.metadata = {TOKEN_PATH: (200, "m"), KEY_PATH: (200, temporary(clock, 3600))}
    async with serve(cloud.answer) as address, connect(address, auth=Auth(agency=True), environ={}) as client:
        clock.advance(19 * 60)
        await client.prepare()
        assert client.generation == 1
        clock.advance(2 * 60)
        cloud.metadata[KEY_PATH] = (200, temporary(clock, 3600, "NEXT"))
        await client.prepare()
        await client.proxy_version(INSTANCE, PROXY)
        assert client.generation == 2
        assert "Access=NEXT," in cloud.headers()["Authorization"]


@pytest.mark.parametrize(
    ("answer", "kind", "calls"),
    [
        ((401, "Please configure Cloud Service Agency first"), Unauthenticated, 2),
        ((401, "token expired"), Unauthenticated, 4),
        ((404, ""), Unauthenticated, 2),
        ((500, ""), NotSent, 2),
        ((200, "<html>"), NotSent, 2),
        ((200, '{"credential": {"access": "a"}}'), Unauthenticated, 2),
    ],
)
async def test_agency_that_gives_nothing(
    serve: Any, connect: Any, cloud: Cloud, answer: Any, kind: Any, calls: int
) -> None:
    cloud.metadata = {TOKEN_PATH: (200, "m"), KEY_PATH: answer}
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=Auth(agency=True), environ={}, prepared=False) as client,
    ):
        failure = await client.prepare()
    assert type(failure) is kind
    assert "ECS agency" in failure.reason
    assert len(cloud.seen) == calls


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hush-hush")
    assert "hush" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hush-hush"
    assert secret == Secret("hush-hush") != Secret("other")
    with pytest.raises(TypeError, match="not written"):
        __import__("pickle").dumps(secret)
