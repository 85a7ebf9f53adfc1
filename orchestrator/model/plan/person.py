"""Who did something: a user at a host, as every message names them."""


def person(user: str, host: str) -> str:
    """`ann@desk`; the user alone where the host is not known: it was not always recorded."""
    return f"{user}@{host}" if host else user
