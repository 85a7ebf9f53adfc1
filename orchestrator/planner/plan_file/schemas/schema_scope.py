"""Declaration of a scope: where the proxies live, and where the credentials are found. Never the credentials."""

from typing import Any

from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Scope
from orchestrator.planner.plan_file.names import ENDPOINT, HOSTS, PROJECT_ID, REGION, SECRETIVE_TEXT, VARIABLE
from orchestrator.planner.plan_file.numbers import RATE, SWITCH, TRUE_TEXTS, amount
from orchestrator.planner.reading.mapping import Field, Found, Record
from orchestrator.planner.reading.shapes import ListOf

#: The ways to credentials, each with the keys that belong to it; a scope uses one.
_WAYS = {
    "a token": ("token_env", "token_file", "token_command"),
    "a password": ("user", "domain", "password_env", "password_file"),
    "an access key": ("access_key_env", "secret_key_env", "security_token_env"),
    "a profile": ("profile",),
    "an agency": ("agency",),
}


def _check_auth(found: Found) -> None:
    written = {way: [key for key in keys if key in found.places] for way, keys in _WAYS.items()}
    ways = {way: keys for way, keys in written.items() if keys}
    if len(ways) > 1:
        listed = ", ".join(f"{way} ({', '.join(keys)})" for way, keys in ways.items())
        found.problems.add(found.node, found.at, f"credentials come one way only, and here are several: {listed}")
        return
    for way, keys in ways.items():
        _CHECKS[way](found, keys)


def _check_token(found: Found, keys: list[str]) -> None:
    if len(keys) > 1:
        found.add(keys[-1], f"a token comes from one place; {keys[0]} is set too")


def _check_password(found: Found, keys: list[str]) -> None:
    for key in ("user", "domain"):
        if key not in keys:
            found.add(key, "is required for a password login")
    if "password_env" not in keys and "password_file" not in keys:
        found.add("password_env", "a password login needs password_env (or password_file)")
    if "password_env" in keys and "password_file" in keys:
        found.add("password_file", "a password comes from one place; password_env is set too")


def _check_access_key(found: Found, keys: list[str]) -> None:
    for key in ("access_key_env", "secret_key_env"):
        if key not in keys:
            found.add(key, "is required; access key and secret key belong together")


def _check_agency(found: Found, _keys: list[str]) -> None:
    if found.values.get("agency") is False:
        found.add("agency", "is either true or left out")


_CHECKS = {
    "a token": _check_token,
    "a password": _check_password,
    "an access key": _check_access_key,
    "a profile": lambda _found, _keys: None,
    "an agency": _check_agency,
}


def _auth_rule() -> dict[str, Any]:
    """What `_check_auth` looks at, as JSON Schema: one way, complete; or none of its keys."""
    complete: dict[str, dict[str, Any]] = {
        "a token": {"maxProperties": 1},
        "a password": {
            "required": ["user", "domain"],
            "oneOf": [{"required": ["password_env"]}, {"required": ["password_file"]}],
        },
        "an access key": {"required": ["access_key_env", "secret_key_env"]},
        "a profile": {},
        "an agency": {"properties": {"agency": {"enum": [True, *TRUE_TEXTS]}}},
    }
    ways = [{"propertyNames": {"enum": list(keys)}, **complete[way]} for way, keys in _WAYS.items()]
    return {"anyOf": ways}


AUTH = Record(
    build=Auth,
    check=_check_auth,
    extra=_auth_rule(),
    secretive=True,
    fields=(
        Field(key="token_env", shape=VARIABLE, doc="Environment variable with a token.", example="HW_AUTH_TOKEN"),
        Field(key="token_file", shape=SECRETIVE_TEXT, doc="File with a token, read again when it is refused."),
        Field(
            key="token_command",
            shape=ListOf(item=SECRETIVE_TEXT, least=1),
            doc="Program and arguments that print a token; no shell, and no secret among the arguments.",
            example=["/usr/local/bin/hw-token", "--project", "prod"],
        ),
        Field(key="user", shape=SECRETIVE_TEXT, doc="IAM user of a password login."),
        Field(key="domain", shape=SECRETIVE_TEXT, doc="Account (domain) name of the IAM user."),
        Field(key="password_env", shape=VARIABLE, doc="Environment variable with the password."),
        Field(key="password_file", shape=SECRETIVE_TEXT, doc="File with the password."),
        Field(key="access_key_env", shape=VARIABLE, doc="Environment variable with the access key (AK)."),
        Field(key="secret_key_env", shape=VARIABLE, doc="Environment variable with the secret key (SK)."),
        Field(key="security_token_env", shape=VARIABLE, doc="The security token that temporary keys need."),
        Field(key="profile", shape=SECRETIVE_TEXT, doc="Section of ~/.huaweicloud/credentials.", example="basic"),
        Field(key="agency", shape=SWITCH, doc="true: temporary keys of the ECS agency, from the metadata service."),
    ),
)

#: The keys of a scope that stand at the top level when a plan has only one.
WHERE = (
    Field(key="region", shape=REGION, doc="Region; decides the endpoints.", example="cn-north-4"),
    Field(key="project_id", shape=PROJECT_ID, doc="Project; looked up from the region when absent."),
    Field(key="endpoint", shape=ENDPOINT, doc="TaurusDB endpoint; from the region when absent."),
    Field(key="iam_endpoint", shape=ENDPOINT, doc="IAM endpoint; from the region when absent."),
    Field(key="vpc_endpoint", shape=ENDPOINT, doc="VPC endpoint, for free addresses; from the region when absent."),
    Field(key="auth", shape=AUTH, doc="Where the credentials are found; absent: environment, then profile file."),
)


def check_where(found: Found) -> None:
    """A scope must be findable: a region, or an endpoint together with the project."""
    if "region" in found.places:
        return
    for key, what in (("endpoint", "the endpoint"), ("project_id", "the project id")):
        if key not in found.places:
            found.add("region", f"is required, for {what} comes from it (or write {key})")
            return


#: What `check_where` looks at, as JSON Schema.
FINDABLE: dict[str, Any] = {"anyOf": [{"required": ["region"]}, {"required": ["endpoint", "project_id"]}]}

SCOPE = Record(
    build=dict,
    check=check_where,
    extra=FINDABLE,
    fields=(
        *WHERE,
        Field(key="rate", shape=RATE, doc="Calls of any kind to this scope; limits.rate when absent.", example="5/s"),
        Field(key="max_failures", shape=amount(least=0), doc="Failure budget of this scope alone."),
        Field(key="max_rejected", shape=amount(least=0), doc="The same for rejected targets."),
        Field(
            key="hosts",
            shape=ListOf(item=HOSTS, least=1, unique=True),
            doc="Of hosts that share a database: the names of those that may serve it; all when absent.",
            example=["bj-*", "sh-1"],
        ),
    ),
)


def make_scope(name: str, values: dict[str, object]) -> Scope:
    """The scope of a name."""
    return Scope(name=name, **values)  # type: ignore[arg-type]  # the declaration above has typed the values
