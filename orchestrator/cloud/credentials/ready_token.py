"""A ready-made token from an environment variable or a file, read again after every refusal."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from orchestrator.cloud.credentials.credential import Credential, Token, checked, unusable
from orchestrator.cloud.credentials.files import at_home, read_text
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.reply.reply import Failure, Unauthenticated


class TokenFromEnvironment(Struct, frozen=True):
    """`token_env`."""

    name: str
    environ: Mapping[str, str]
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """The variable's present value."""
        found = from_environment(self.environ, self.name)
        return Token(token=found) if isinstance(found, Secret) else found


class TokenFromFile(Struct, frozen=True):
    """`token_file`."""

    path: str
    environ: Mapping[str, str]
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """The file's present content."""
        found = await from_file(self.path, self.environ)
        return Token(token=found) if isinstance(found, Secret) else found


Check: TypeAlias = Callable[[str, str], Secret | Unauthenticated]


def from_environment(environ: Mapping[str, str], name: str, check: Check = checked) -> Secret | Failure:
    """A secret in a variable."""
    value = environ.get(name)
    if value is None:
        return unusable(f"environment variable {name} is not set")
    return check(value, f"environment variable {name}")


async def from_file(path: str, environ: Mapping[str, str], check: Check = checked) -> Secret | Failure:
    """A secret that is the whole content of a file."""
    text = await read_text(at_home(path, environ))
    return check(text, path) if isinstance(text, str) else text
