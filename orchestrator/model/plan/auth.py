"""Where the credentials of a scope are found, as a person asks for it."""

from msgspec import Struct


class Auth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a scope's credentials are found; never the secrets themselves. All None: the default chain.

    Exactly one of the groups is set: a token (`token_env`, `token_file`, `token_command`), a password login (`user`,
    `domain` and `password_env` or `password_file`), an access key (`access_key_env`, `secret_key_env`, and perhaps
    `security_token_env`), a `profile` section, or an ECS `agency`.
    """

    token_env: str | None = None
    token_file: str | None = None
    token_command: tuple[str, ...] | None = None
    user: str | None = None
    domain: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    access_key_env: str | None = None
    secret_key_env: str | None = None
    security_token_env: str | None = None
    profile: str | None = None
    agency: bool | None = None
