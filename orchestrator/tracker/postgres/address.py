"""Which words name a database, and how it is named in messages: never with its password. Opens nothing."""

from orchestrator.errors import UsageError
from orchestrator.pattern import pattern

#: What a connection string begins with, see "Connection Strings" in the documentation of libpq.
_BEGINNINGS = ("postgresql://", "postgres://", "service=")
#: A password between user and host, and one among the parameters. With `/` or `?` in it libpq finds none and refuses
#: the address, but it must not be shown either; an `@` behind a port, a name and `?` is one of the parameters.
_IN_USER = pattern(r"^([a-z]+://[^:@/?]*):(?![0-9]{0,5}(?:,[^/?@]*)?(?:/[^?@]*)?\?)(?:[^?]*@|.*@)")
_AS_PARAMETER = pattern(r"(?<=[?&])[a-z]*password=[^&]*&?")
_ELSEWHERE = "put it into PGPASSFILE (~/.pgpass), PGPASSWORD or pg_service.conf: others can read a command line"


def names_database(named: str) -> bool:
    """Whether what stands for a state is a database; anything else is a folder."""
    return named.startswith(_BEGINNINGS)


def without_password(address: str) -> str:
    """The address as it may be shown; of `service=NAME` nothing but the name."""
    if address.startswith("service="):
        return address.split(maxsplit=1)[0]
    return _AS_PARAMETER.sub("", _IN_USER.sub(r"\1@", address)).rstrip("?&")


def expect_no_password(address: str) -> None:
    """The words of a command line, which everybody on the machine can read, hold no password.

    Raises:
        UsageError: they do, or may.
    """
    if without_password(address) != address:
        raise UsageError(f"--state {without_password(address)}: a password has no place here", hint=_ELSEWHERE)
