"""What lies on this host already: the ways to it, and every secret that a plan reads here."""

from collections.abc import Iterator, Mapping

from msgspec.structs import asdict

from orchestrator.cloud.credentials.access_key import AccessKeyFromEnvironment
from orchestrator.cloud.credentials.chain import KEYS, TOKEN, DefaultChain
from orchestrator.cloud.credentials.credential import AccessKey, Credential, Source, Token, secrets_of
from orchestrator.cloud.credentials.password_login import password_of
from orchestrator.cloud.credentials.profile import Profile
from orchestrator.cloud.credentials.ready_token import TokenFromEnvironment, TokenFromFile
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Plan
from orchestrator.model.reply.reply import Failure


def on_this_host(auth: Auth, environ: Mapping[str, str]) -> Source:
    """The way to credentials in a variable or a file."""
    if auth.profile is not None:
        return Profile(auth.profile, environ)
    if auth.token_env is not None:
        return TokenFromEnvironment(auth.token_env, environ)
    if auth.token_file is not None:
        return TokenFromFile(auth.token_file, environ)
    if auth.access_key_env is None or auth.secret_key_env is None:
        return DefaultChain(environ)
    return AccessKeyFromEnvironment(auth.access_key_env, auth.secret_key_env, auth.security_token_env, environ)


async def found_here(auth: Auth, environ: Mapping[str, str]) -> Secret | Credential | Failure | None:
    """What `auth` names, as it is found here; None when only a service or a command can tell."""
    if auth.user is not None:
        return await password_of(auth, environ)
    if auth.agency or auth.token_command is not None:
        return None
    return await on_this_host(auth, environ).fetch()


def secret_variables(plan: Plan) -> frozenset[str]:
    """The variables that secrets of a plan are read from: credentials, tokens of gates, addresses of receivers."""
    return frozenset({TOKEN, *(name for names in KEYS for name in names), *_named(plan)})


def _named(plan: Plan) -> Iterator[str]:
    """Those that the plan names."""
    asked = (each for gate in plan.gates for each in (gate.http, gate.promql) if each is not None)
    for part in (*(scope.auth for scope in plan.scopes), *asked, *plan.notify):
        yield from (value for key, value in asdict(part).items() if key.endswith("_env") and value)


async def secrets_here(plan: Plan, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Every secret of a plan that lies on this host, whether it was used yet or not.

    What cannot be read is none: who needs it says why.
    """
    found = [Secret(environ[name].strip()) for name in sorted(secret_variables(plan)) if environ.get(name)]
    for scope in plan.scopes:
        here = await found_here(scope.auth, environ)
        if isinstance(here, Secret):
            found.append(here)
        elif isinstance(here, Token | AccessKey):
            found += secrets_of(here)
    return tuple(found)
