"""What a request can be signed with, and where that comes from. The values and the port; every way is a file beside."""

from typing import Protocol, TypeAlias

from msgspec import Struct

from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.reply.reply import Exchange, Failure, Unauthenticated

_QUOTES = frozenset("\"'`")


class Token(Struct, frozen=True, kw_only=True):
    """A project-scoped IAM token, sent as `X-Auth-Token`. `lifetime_s` None: unknown, good until refused."""

    token: Secret
    lifetime_s: float | None = None


class AccessKey(Struct, frozen=True, kw_only=True):
    """A key pair that signs, permanent or, with a security token, temporary."""

    access_key: Secret
    secret_key: Secret
    security_token: Secret | None = None
    lifetime_s: float | None = None


Credential: TypeAlias = Token | AccessKey


class Source(Protocol):
    """One way to credentials. `renew_before_s`: how long before its end a credential of it is replaced."""

    @property
    def renew_before_s(self) -> float:
        """Seconds before the end of a lifetime."""

    async def fetch(self) -> Credential | Failure:
        """New credentials, read or asked for now. `Unauthenticated` when trying again cannot help."""


def unusable(reason: str) -> Unauthenticated:
    """Credentials that are not there, or are none: no request is made, and a person has to act."""
    return Unauthenticated(reason=f"credentials: {reason}", exchange=Exchange())


def trimmed(text: str, where: str) -> Secret | Unauthenticated:
    """A secret of any kind as it was found, without what stands around it by habit: blanks and line breaks.

    Quotes around it are refused: a shell or an INI file was meant to take them away, and they would be sent.
    """
    value = text.strip()
    if not value:
        return unusable(f"{where} is empty")
    if not value.isprintable():
        return unusable(f"{where} holds line breaks, or characters that no secret has")
    if value[0] == value[-1] and value[0] in _QUOTES:
        return unusable(f"{where} stands in quotes, which would be sent with it; take them away")
    return Secret(value)


def checked(text: str, where: str) -> Secret | Unauthenticated:
    """The same for a secret that is sent in a header, where not everything can stand."""
    found = trimmed(text, where)
    if isinstance(found, Secret) and (not found.reveal().isascii() or " " in found.reveal()):
        return unusable(f"{where} holds blanks, or characters that no credential has")
    return found


def secrets_of(credential: Credential | None) -> tuple[Secret, ...]:
    """Everything of a credential that must not be shown."""
    match credential:
        case Token(token=token):
            return (token,)
        case AccessKey(access_key=access, secret_key=key, security_token=token):
            return (access, key) if token is None else (access, key, token)
        case _:
            return ()
