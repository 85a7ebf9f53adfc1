"""The ways to credentials, one file each, and which of them a plan's `auth` means. Secrets never leave as text."""

from collections.abc import Mapping

from msgspec import Struct, field

from orchestrator.cloud.credentials.access_key import AccessKeyFromEnvironment
from orchestrator.cloud.credentials.agency import METADATA, METADATA_TIMEOUT_S, Agency
from orchestrator.cloud.credentials.chain import TOKEN, DefaultChain
from orchestrator.cloud.credentials.command import TokenFromCommand
from orchestrator.cloud.credentials.credential import AccessKey, Credential, Source, Token
from orchestrator.cloud.credentials.password_login import PasswordLogin, password_of
from orchestrator.cloud.credentials.profile import Profile
from orchestrator.cloud.credentials.ready_token import TokenFromEnvironment, TokenFromFile
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.transport import Headers, Transport
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Scope
from orchestrator.model.reply.reply import Failure, in_words

__all__ = ["METADATA", "Secrets", "World", "is_token", "lacking", "source_for"]


class World(Struct, frozen=True, kw_only=True):
    """What the ways need of the outside.

    Attributes:
        metadata: base address of the ECS metadata service.
        headers: of a request that needs no credentials, but for `Host`.
        command_timeout_s: how long a token command may run.
        secrets: learns what is got.
    """

    transport: Transport
    environ: Mapping[str, str]
    clock: TimeSource
    headers: Headers
    metadata: str = METADATA
    command_timeout_s: float = 30.0
    secrets: Secrets = field(default_factory=Secrets)


def source_for(scope: Scope, iam: str, world: World) -> Source:
    """The way that the scope's `auth` names; the default chain when it names none. `iam` is the scope's IAM service."""
    auth = scope.auth
    if auth.user is not None:
        return _password(scope, iam, world)
    if auth.agency:
        route = world.transport.direct(world.metadata, METADATA_TIMEOUT_S)
        return Agency(world.transport, route, world.clock, world.secrets)
    if auth.token_command is not None:
        return TokenFromCommand(auth.token_command, world.environ, world.command_timeout_s)
    return _on_this_host(auth, world.environ)


async def lacking(auth: Auth, environ: Mapping[str, str]) -> str | None:
    """Why this host has not what `auth` names; None when it has, or when only a service or a command can tell."""
    if auth.user is not None:
        found: Secret | Credential | Failure = await password_of(auth, environ)
    elif auth.agency or auth.token_command is not None:
        return None
    else:
        found = await _on_this_host(auth, environ).fetch()
    return None if isinstance(found, Secret | Token | AccessKey) else in_words(found)


def _on_this_host(auth: Auth, environ: Mapping[str, str]) -> Source:
    """The way to what lies on this host already, in a variable or a file."""
    if auth.profile is not None:
        return Profile(auth.profile, environ)
    if auth.token_env is not None:
        return TokenFromEnvironment(auth.token_env, environ)
    if auth.token_file is not None:
        return TokenFromFile(auth.token_file, environ)
    if auth.access_key_env is None or auth.secret_key_env is None:
        return DefaultChain(environ)
    return AccessKeyFromEnvironment(auth.access_key_env, auth.secret_key_env, auth.security_token_env, environ)


def is_token(auth: Auth, environ: Mapping[str, str]) -> bool:
    """Whether this is a ready-made token, which is for one project only."""
    if auth == Auth():
        return bool(environ.get(TOKEN))
    return bool(auth.token_env or auth.token_file or auth.token_command)


def _password(scope: Scope, iam: str, world: World) -> Source:
    route = world.transport.route(iam)
    headers = world.headers.copy()
    headers["Host"] = route.host
    return PasswordLogin(
        auth=scope.auth,
        project=_project(scope),
        transport=world.transport,
        route=route,
        headers=headers,
        environ=world.environ,
        secrets=world.secrets,
    )


def _project(scope: Scope) -> dict[str, str]:
    """The project that a token is for: a region's own project bears the region's name. Empty when nothing names it."""
    if scope.project_id is not None:
        return {"id": scope.project_id}
    return {} if scope.region is None else {"name": scope.region}
