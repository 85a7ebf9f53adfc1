from typing import Any

import pytest

from orchestrator.cloud.account_key import account_key
from orchestrator.cloud.rate_key import rate_key
from orchestrator.cloud.wire.endpoints import endpoints_of, iam_host
from orchestrator.cloud.wire.environment_proxy import proxy_for
from orchestrator.errors import PlanError, ScopeUnusable
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Scope
from orchestrator.model.plan.region import SERVICES


def of(environ: Any = None, *, allow_http: bool = False, **keys: Any) -> Any:
    return endpoints_of(Scope(name="bj4", **keys), environ or {}, allow_http=allow_http)


def test_the_table_is_the_sdks() -> None:
    from huaweicloudsdkgaussdb.v3.region.gaussdb_region import GaussDBRegion  # noqa: PLC0415  # slow, and only for this

    assert {region: [f"https://{host}"] for region, host in SERVICES.items()} == {
        region: known.endpoints for region, known in GaussDBRegion.static_fields.items()
    }


def test_a_known_region_needs_nothing_else() -> None:
    found = of(region="cn-north-4")
    assert found.service == "https://gaussdb.cn-north-4.myhuaweicloud.com"
    assert found.iam == "https://iam.cn-north-4.myhuaweicloud.com"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-south-4", "iam.myhuaweicloud.com"),
        ("xx-new-1", "iam.myhuaweicloud.com"),
        (None, "iam.myhuaweicloud.com"),
        ("eu-west-101", "iam.myhuaweicloud.eu"),
        ("tr-west-1", "iam.tr-west-1.myhuaweicloud.com"),
    ],
)
def test_iam(region: str | None, host: str) -> None:
    assert iam_host(region) == host


@pytest.mark.parametrize("region", [None, "cn-north-99"])
def test_an_unknown_region_says_what_is_known(region: str | None) -> None:
    with pytest.raises(PlanError, match="cn-north-4") as caught:
        of(region=region)
    assert "bj4" in str(caught.value)
    assert "endpoint:" in (caught.value.hint or "")


def test_plan_before_environment_before_table() -> None:
    environ = {
        "HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4": "https://one.example, https://two.example",
        "HUAWEICLOUD_SDK_IAM_ENDPOINT": "iam.example",
    }
    found = of(environ, region="cn-north-4")
    assert (found.service, found.iam) == ("https://one.example", "https://iam.example")
    found = of(
        environ, region="cn-north-4", endpoint="https://own.example/", iam_endpoint="https://own-iam.example:8443"
    )
    assert (found.service, found.iam) == ("https://own.example", "https://own-iam.example:8443")
    assert of(environ, region="cn-north-9").service == f"https://{SERVICES['cn-north-9']}"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", "http://127.9.9.9"]
)
def test_plain_http_to_this_machine(address: str) -> None:
    assert of(endpoint=address).service == address.removesuffix(":80")


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    with pytest.raises(PlanError, match="plain http") as caught:
        of(endpoint="http://gaussdb.example")
    assert "allow_http" in (caught.value.hint or "")
    assert (
        of(endpoint="http://gaussdb.example", iam_endpoint="http://i", allow_http=True).service
        == "http://gaussdb.example"
    )


@pytest.mark.parametrize(
    "address",
    ["ftp://host", "https://", "https://host/v3", "https://host?x=1", "https://host:port", "https://[::1", "   "],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(PlanError, match="expected an address"):
        of(endpoint=address)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(PlanError) as caught:
        of(endpoint="https://user:hush@host")
    assert "hush" not in str(caught.value)


def test_scopes_that_share_endpoint_and_credentials_share_a_rate() -> None:
    one = Scope(name="a", region="cn-north-4", project_id="1")
    two = Scope(name="b", endpoint="https://gaussdb.cn-north-4.myhuaweicloud.com/", project_id="2")
    other = Scope(name="c", region="cn-north-4", auth=Auth(token_env="T"))
    assert rate_key(one, {}) == rate_key(two, {}) != rate_key(other, {})
    assert rate_key(one, {}) != rate_key(Scope(name="d", region="cn-north-9"), {})
    assert len({rate_key(one, {}), rate_key(two, {}), rate_key(other, {})}) == 2


def test_scopes_of_one_account_share_what_is_known_of_its_credentials() -> None:
    keys, token = Auth(access_key_env="A", secret_key_env="S"), Auth(token_env="T")
    here, there = Scope(name="a", region="cn-north-4", auth=keys), Scope(name="b", region="tr-west-1", auth=keys)
    assert account_key(here, {}) == account_key(there, {})
    europe = Scope(name="c", region="eu-west-101", endpoint="https://gaussdb.example.eu", auth=keys)
    assert account_key(europe, {}) != account_key(here, {}), "another site, with accounts of its own"
    assert account_key(Scope(name="d", region="cn-north-4", auth=Auth(profile="x")), {}) != account_key(here, {})
    one, two = Scope(name="e", region="cn-north-4", auth=token), Scope(name="f", region="cn-north-4", auth=token)
    assert account_key(one, {}) != account_key(two, {}), "a token is for one project"
    chains = [Scope(name=name, region="cn-north-4") for name in "gh"]
    assert len({account_key(scope, {}) for scope in chains}) == 1
    assert len({account_key(scope, {"HW_AUTH_TOKEN": "t"}) for scope in chains}) == 2


@pytest.mark.parametrize(
    ("base", "environ", "proxy"),
    [
        ("https://a.example", {}, None),
        ("https://a.example", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://a.example", {"https_proxy": "p:3128", "HTTPS_PROXY": "other"}, "http://p:3128"),
        ("https://a.example", {"https_proxy": "", "HTTPS_PROXY": "other"}, None),
        ("http://a.example", {"HTTPS_PROXY": "http://p:3128"}, None),
        ("http://a.example", {"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, None),
        ("https://a.example", {"HTTPS_PROXY": "http://p", "NO_PROXY": "b.example,.example"}, None),
        ("https://a.example", {"HTTPS_PROXY": "http://p", "no_proxy": "*"}, None),
        ("https://a.example", {"HTTPS_PROXY": "http://p", "NO_PROXY": "b.example"}, "http://p"),
        ("https://127.0.0.1:8443", {"HTTPS_PROXY": "http://p"}, None),
        ("http://localhost:80", {"http_proxy": "http://p"}, None),
        ("https://a.example", {"HTTPS_PROXY": " http://p:3128/\n"}, "http://p:3128"),
        ("https://a.example", {"ALL_PROXY": "http://p"}, None),
        ("https://a.example", {"HTTPS_PROXY": "http://p", "NO_PROXY": " a.example , "}, None),
        ("https://a.example:8443", {"HTTPS_PROXY": "http://p", "NO_PROXY": "a.example:8443"}, None),
        ("https://a.example", {"HTTPS_PROXY": "http://p", "NO_PROXY": "[,\udcff,a.example:x"}, "http://p"),
        ("http://127.0.0.1:1", {"http_proxy": "no:port"}, None),
    ],
)
def test_forward_proxy(base: str, environ: Any, proxy: Any) -> None:
    found = proxy_for(base, environ)
    assert (None if found is None else str(found.url)) == proxy


def test_user_and_password_of_a_proxy_are_read_once_and_shown_nowhere() -> None:
    found = proxy_for("https://a.example", {"HTTPS_PROXY": "http://b%40b:p%40ss%23%3A1@[::1]:3128/"})
    assert found is not None
    assert (found.url.host, found.url.port, found.url.user, found.url.password) == ("::1", 3128, "b@b", "p@ss#:1")
    assert repr(found) == "Proxy(::1:3128)"
    assert [secret.reveal() for secret in found.secrets] == ["p@ss#:1", "YkBiOnBAc3MjOjE="]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        "http://bob:hush@127.0.0.1:port",
        "http://bob:hush@127.0.0.1:hush",
        "http://bob:hush@127.0.0.1:99999",
        "http://bob:hush@127.0.0.1:0",
        "http://bob:p@ss#hush@127.0.0.1:9",
        "http://bob:p@hush@127.0.0.1:9",
        "http://bob:hu/sh@127.0.0.1:9",
        "http://bob:hu?sh@127.0.0.1:9",
        "http://b%3Ab:hush@127.0.0.1:9",
        "bob:hush@",
        "http://[hush",
        "socks5://bob:hush@127.0.0.1:9",
        "http://bob:hush@a b:9",
        "http://bob:hüsh@a:9",
        "http://hush\udcff:9",
    ],
)
def test_what_is_no_proxy_is_named_by_its_variable_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ScopeUnusable, match=f"environment variable {name} is not the address of a proxy") as caught:
        proxy_for("https://a.example", {name: value})
    assert "hush" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
