"""A run begins only where some scope has credentials, as far as this host can tell."""

from pathlib import Path

import pytest
from fakes.stage import plan_of, targets_of
from msgspec import structs

from orchestrator.app.scopes.expect_credentials import expect_credentials
from orchestrator.errors import ScopeUnusable
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Plan

TOKEN_ENV = Auth(token_env="NIGHT_TOKEN")


def plan(*auths: Auth) -> Plan:
    names = [f"s{number}" for number in range(len(auths))]
    made = plan_of(targets_of(len(auths), scopes=names))
    scopes = tuple(structs.replace(scope, auth=auth) for scope, auth in zip(made.scopes, auths, strict=True))
    return structs.replace(made, scopes=scopes)


@pytest.mark.parametrize(
    ("auth", "names"),
    [
        (TOKEN_ENV, "NIGHT_TOKEN is not set"),
        (Auth(), "HW_AUTH_TOKEN"),
        (Auth(token_file="/nowhere/token"), "/nowhere/token"),
        (Auth(user="u", domain="d", password_env="NIGHT_PASSWORD"), "NIGHT_PASSWORD is not set"),
        (Auth(access_key_env="AK", secret_key_env="SK"), "AK"),
        (Auth(profile="night"), "credentials"),
    ],
)
def test_what_is_not_there_is_named_before_anything_begins(auth: Auth, names: str, tmp_path: Path) -> None:
    with pytest.raises(ScopeUnusable, match=r"scope s0 cannot be used: credentials: .*") as caught:
        expect_credentials(plan(auth), {"HOME": str(tmp_path)})
    assert names in str(caught.value)


@pytest.mark.parametrize("auth", [Auth(agency=True), Auth(token_command=("get-token",))])
def test_what_only_a_service_or_a_command_can_tell_is_left_to_the_run(auth: Auth, tmp_path: Path) -> None:
    expect_credentials(plan(auth), {"HOME": str(tmp_path)})


def test_one_scope_with_credentials_is_enough(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "NIGHT_TOKEN": "t"}
    expect_credentials(plan(TOKEN_ENV, Auth(token_env="OTHER")), environ)
    with pytest.raises(ScopeUnusable, match=r"nothing has begun\nscope s0 .*\nscope s1 "):
        expect_credentials(plan(TOKEN_ENV, Auth()), {"HOME": str(tmp_path)})


def test_only_the_scopes_that_this_host_may_serve_are_looked_at(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "NIGHT_TOKEN": "t"}
    made = plan(TOKEN_ENV, Auth(token_env="OTHER"))
    scopes = tuple(structs.replace(scope, hosts=(f"{scope.name}-*",)) for scope in made.scopes)
    made = structs.replace(made, scopes=scopes)
    expect_credentials(made, environ, "s0-a")
    with pytest.raises(ScopeUnusable, match=r"scope s1 cannot be used: .*OTHER"):
        expect_credentials(made, environ, "s1-a")
    none = r"no scope may be served by host far; scope s0: only s0-\*; scope s1: only s1-\*"
    with pytest.raises(ScopeUnusable, match=none):
        expect_credentials(made, environ, "far")
