"""Tokens, signatures, identity and the metadata service."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.virtual_cloud import VirtualCloud

from orchestrator.simulator.calls.signature import canonical_request, expected, parse
from orchestrator.simulator.profile import Profile
from orchestrator.simulator.wire import Request

ACCESS_KEY = "EXAMPLEAK0000000000A"
SECRET_KEY = "exampleSecretKey00000000000000000000000A"
PROJECT = "0123456789abcdef0123456789abcdef"
HEADERS = {
    "host": "gaussdb.cn-north-4.myhuaweicloud.com",
    "x-sdk-date": "20260102T030405Z",
    "x-project-id": PROJECT,
    "content-type": "application/json",
}


@pytest.mark.parametrize(
    ("request_", "names", "signature"),
    [
        (
            Request(
                "POST",
                f"/v3/{PROJECT}/instances/11112222333344445555666677778888in07"
                "/proxy/aaaabbbbccccddddeeeeffff00001111po01/upgrade-version",
                "",
                {**HEADERS, "content-type": "application/json;charset=UTF-8"},
                b'{"source_version":"2.23.12.000","target_version":"2.24.03.000"}',
            ),
            "content-type;host;x-project-id;x-sdk-date",
            "b923cb524c8dbec53aaab17042e3720ae9286dac90ee36733598cfd802f03595",
        ),
        (
            Request(
                "GET",
                f"/v3/{PROJECT}/jobs",
                "id=375ac6a4-2788-4e45-83bf-8a9d2324317f",
                {**HEADERS, "x-security-token": "FAKE+SECURITY/TOKEN=="},
            ),
            "content-type;host;x-project-id;x-sdk-date;x-security-token",
            "125c2a5357549319a5f7a89110aa1fdce42e0c3e5fc61800cc3d745687e5c2a5",
        ),
        (
            Request(
                "GET",
                f"/v3.1/{PROJECT}/instances",
                "offset=0&limit=100&name=%2Aprod%20db&tags=env%3Dprod%2Ctier%3Da%20b",
                HEADERS,
            ),
            "content-type;host;x-project-id;x-sdk-date",
            "afd04fbdc61af83b64833e167e560ff892e6b38252fa22284573a8df558e35ec",
        ),
    ],
)
def test_signatures_by_the_vectors_that_the_sdk_agrees_with(request_: Request, names: str, signature: str) -> None:
    assert expected(request_, tuple(names.split(";")), SECRET_KEY) == signature
    assert parse(f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={names}, Signature={signature}") is not None


def test_an_unsigned_payload_is_taken_as_such() -> None:
    request = Request("POST", "/x", "", {**HEADERS, "x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}, b"any")
    assert canonical_request(request, ("host", "x-sdk-date")).endswith("\nUNSIGNED-PAYLOAD")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic abc",
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date;host, Signature=" + "0" * 64,
    ],
)
def test_what_is_no_authorization(text: str) -> None:
    assert parse(text) is None


def signing_cloud(faults: Profile | str = "none", **settings: Any) -> VirtualCloud:
    cloud = VirtualCloud(faults, access_key=ACCESS_KEY, secret_key=SECRET_KEY, **settings)
    cloud.headers = {}
    return cloud


def signed(
    cloud: VirtualCloud, *, secret: str = SECRET_KEY, at: datetime | None = None, **extra: str
) -> tuple[int, str]:
    headers = {"host": "localhost", "x-sdk-date": (at or cloud.now).strftime("%Y%m%dT%H%M%SZ")}
    path, names = f"/v3/{cloud.project_id}/instances", ("host", "x-sdk-date")
    key = extra.pop("access_key", ACCESS_KEY)
    signature = expected(Request("GET", path, "", headers), names, secret)
    headers["authorization"] = f"SDK-HMAC-SHA256 Access={key}, SignedHeaders=host;x-sdk-date, Signature={signature}"
    reply = cloud.call("GET", path, **headers, **extra)
    return reply.status, reply.json().get("error_code", "")


REFUSED = (401, "APIGW.0301")


def test_signatures_are_checked() -> None:
    cloud = signing_cloud()
    assert signed(cloud) == (200, "")
    assert signed(cloud, secret="wrong") == REFUSED
    assert signed(cloud, access_key="UNKNOWN") == REFUSED
    assert signed(cloud, at=datetime(2026, 1, 5, 12, 14, 59, tzinfo=UTC)) == (200, "")
    assert signed(cloud, at=datetime(2026, 1, 5, 11, 44, tzinfo=UTC)) == REFUSED
    assert cloud.cloud.books.refused_credentials == 3


def test_the_time_of_a_signature_is_held_against_the_clouds_clock() -> None:
    cloud = signing_cloud(Profile(clock_skew_s=3600))
    assert signed(cloud) == REFUSED
    assert signed(cloud, at=datetime(2026, 1, 5, 13, 0, tzinfo=UTC)) == (200, "")


def test_six_wrong_signatures_in_a_row_lock_the_key_for_five_minutes() -> None:
    cloud = signing_cloud()
    assert [signed(cloud, secret="wrong") for _ in range(5)] == [REFUSED] * 5
    assert signed(cloud) == (200, "")
    for _ in range(6):
        signed(cloud, secret="wrong")
    assert signed(cloud) == REFUSED
    cloud.wait(301)
    assert signed(cloud) == (200, "")


def test_temporary_keys_from_the_metadata_service() -> None:
    cloud = VirtualCloud(Profile(token_lifetime_s=600))
    cloud.headers = {}
    token = cloud.call("PUT", "/meta-data/latest/api/token", x_metadata_token_ttl_seconds="21600")
    assert (token.status, token.content_type) == (200, "text/plain")
    assert cloud.call("PUT", "/meta-data/latest/api/token").status == 400
    path = "/openstack/latest/securitykey"
    assert cloud.call("GET", path, x_metadata_token="wrong").status == 401
    key = cloud.call("GET", path, x_metadata_token=token.body.decode()).json()["credential"]
    assert key["expires_at"] == "2026-01-05T12:10:00.000000Z"

    def status(security_token: str) -> tuple[int, str]:
        extra = {"access_key": key["access"], "x_security_token": security_token}
        return signed(cloud, secret=key["secret"], **extra)

    assert status(key["securitytoken"]) == (200, "")
    assert status("wrong") == REFUSED
    cloud.wait(601)
    assert status(key["securitytoken"]) == REFUSED


def login(user: str = "bot", word: str = "secret", domain: str = "acme", **scope: object) -> dict[str, Any]:
    who = {"name": user, "password": word, "domain": {"name": domain}}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}


def identity_cloud(faults: Profile | str = "none") -> VirtualCloud:
    return VirtualCloud(faults, user="bot", password="secret", domain="acme", regions=("cn-north-4", "cn-east-3"))


def test_a_login_gives_a_token_for_one_project_that_expires() -> None:
    cloud = identity_cloud()
    reply = cloud.call("POST", "/v3/auth/tokens", "nocatalog=true", login(project={"name": "cn-north-4"}))
    assert reply.status == 201
    assert "X-IAM-Trace-Id" in reply.headers
    token = reply.json()["token"]
    assert token["expires_at"] == "2026-01-06T12:00:00.000000Z"
    assert (token["project"]["id"], token["project"]["name"]) == (cloud.project_id, "cn-north-4")
    cloud.headers = {"x-auth-token": reply.headers["X-Subject-Token"]}
    assert len(cloud.headers["x-auth-token"]) > 1000
    assert cloud.get("instances").status == 200
    other = list(cloud.cloud.world.projects)[1]
    assert cloud.call("GET", f"/v3/{other}/instances").status == 401
    cloud.wait(24 * 3600 + 1)
    assert cloud.get("instances").json()["error_code"] == "APIGW.0301"


def test_a_new_token_leaves_the_old_one_valid_and_a_revoked_one_is_worthless() -> None:
    cloud = identity_cloud()
    ask = login(project={"id": cloud.project_id})
    first, second = (cloud.call("POST", "/v3/auth/tokens", "", ask).headers["X-Subject-Token"] for _ in range(2))
    assert first != second
    for token in (first, second):
        cloud.headers = {"x-auth-token": token}
        assert cloud.get("instances").status == 200
    cloud.cloud.keyring.revoke(second)
    assert cloud.get("instances").status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (login(word="wrong", project={"name": "cn-north-4"}), 401),
        (login(user="nobody", project={"name": "cn-north-4"}), 401),
        (login(domain="other", project={"name": "cn-north-4"}), 401),
        (login(project={"name": "mars-1"}), 404),
        (login(), 400),
        ({"auth": {}}, 400),
        ({"auth": {"identity": {"methods": ["totp"], "password": {"user": {"password": "x"}}}}}, 400),
    ],
)
def test_logins_that_are_refused(body: dict[str, Any], status: int) -> None:
    reply = identity_cloud().call("POST", "/v3/auth/tokens", "", body)
    assert (reply.status, reply.json()["error"]["code"]) == (status, status)


def test_without_a_user_nobody_can_log_in() -> None:
    assert VirtualCloud().call("POST", "/v3/auth/tokens", "", login(project={"name": "cn-north-4"})).status == 401


def test_projects_by_name_and_page() -> None:
    cloud = identity_cloud()
    found = cloud.call("GET", "/v3/projects", "name=cn-east-3").json()["projects"]
    assert [project["name"] for project in found] == ["cn-east-3"]
    assert cloud.call("GET", "/v3/projects", "name=mars-1").json()["projects"] == []
    assert len(cloud.call("GET", "/v3/projects").json()["projects"]) == 2
    assert len(cloud.call("GET", "/v3/projects", "page=2&per_page=1").json()["projects"]) == 1
    assert cloud.call("GET", "/v3/projects", "page=2").status == 400
    assert cloud.call("GET", "/v3/projects", "page=0&per_page=1").status == 400
    cloud.headers = {}
    assert cloud.call("GET", "/v3/projects").status == 401


def test_without_credentials_nothing_is_told() -> None:
    cloud = VirtualCloud()
    cloud.headers = {}
    assert cloud.get("instances").json()["error_code"] == "APIGW.0301"
    cloud.headers = {"x-auth-token": "wrong"}
    assert cloud.upgrade(cloud.proxies[0]).status == 401
    assert cloud.cloud.books.upgrade_calls == []


def test_paths_and_queries_are_signed_in_one_form_however_they_were_encoded() -> None:
    as_sent = (("/v3/a%20b", "x=%7e&a=*"), ("/v3/a b", "a=%2A&x=~"))
    forms = {canonical_request(Request("GET", path, query, HEADERS), ("host",)) for path, query in as_sent}
    assert [form.splitlines()[1:3] for form in forms] == [["/v3/a%20b/", "a=%2A&x=~"]]
