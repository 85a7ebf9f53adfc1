"""Which words name a database, and how it is named in messages: never with its password. Opens nothing."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from orchestrator.errors import UsageError

#: What a connection string begins with, see "Connection Strings" in the documentation of libpq.
_BEGINNINGS = ("postgresql://", "postgres://", "service=")
_PASSWORD = "password"  # noqa: S105  # the name of a setting
_ELSEWHERE = "put it into PGPASSFILE (~/.pgpass), PGPASSWORD or pg_service.conf: others can read a command line"


def names_database(named: str) -> bool:
    """Whether what stands for a state is a database; anything else is a folder."""
    return named.startswith(_BEGINNINGS)


def without_password(address: str) -> str:
    """The address as it may be shown."""
    if address.startswith("service="):
        return " ".join(word for word in address.split() if not word.startswith(f"{_PASSWORD}="))
    parts = urlsplit(address)
    user, at, place = parts.netloc.rpartition("@")
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != _PASSWORD]
    named = f"{user.partition(':')[0]}{at}{place}"
    return urlunsplit((parts.scheme, named, parts.path, urlencode(kept, safe="/:"), ""))


def expect_no_password(address: str) -> None:
    """The words of a command line, which everybody on the machine can read, hold no password.

    Raises:
        UsageError: they do.
    """
    if without_password(address) != address:
        raise UsageError(f"--state {without_password(address)}: a password has no place here", hint=_ELSEWHERE)
