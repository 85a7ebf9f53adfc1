"""What a request can be signed with, and where that comes from. The values and the port; every way is a file beside."""

from typing import Protocol, TypeAlias

from msgspec import Struct

from orchestrator.cloud.secret import Secret
from orchestrator.model.reply import Exchange, Failure, Unauthenticated


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


def checked(text: str, where: str) -> Secret | Unauthenticated:
    """A secret as it was found, without surrounding blanks; refused when it is empty or could not stand in a header."""
    value = text.strip()
    if not value:
        return unusable(f"{where} is empty")
    if not (value.isascii() and value.isprintable()) or " " in value:
        return unusable(f"{where} holds blanks, line breaks or characters that no credential has")
    return Secret(value)


def secrets_of(credential: Credential | None) -> tuple[Secret, ...]:
    """Everything of a credential that must not be shown."""
    match credential:
        case Token(token=token):
            return (token,)
        case AccessKey(access_key=access, secret_key=key, security_token=token):
            return (access, key) if token is None else (access, key, token)
        case _:
            return ()
