"""The ways to credentials, one file each, and which of them a plan's `auth` means. Secrets never leave as text."""

from collections.abc import Mapping

from msgspec import Struct, field

from orchestrator.cloud.credentials.agency import METADATA, METADATA_TIMEOUT_S, Agency
from orchestrator.cloud.credentials.chain import TOKEN
from orchestrator.cloud.credentials.command import TokenFromCommand
from orchestrator.cloud.credentials.credential import AccessKey, Source, Token
from orchestrator.cloud.credentials.on_this_host import found_here, on_this_host
from orchestrator.cloud.credentials.password_login import PasswordLogin
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.transport import Headers, Transport
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Scope
from orchestrator.model.reply.reply import in_words

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
    return on_this_host(auth, world.environ)


async def lacking(auth: Auth, environ: Mapping[str, str]) -> str | None:
    """Why this host has not what `auth` names; None when it has, or when only a service or a command can tell."""
    found = await found_here(auth, environ)
    return None if found is None or isinstance(found, Secret | Token | AccessKey) else in_words(found)


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
