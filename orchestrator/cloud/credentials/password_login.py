"""Log in with a user's password: IAM `POST /v3/auth/tokens`, a token for one project that lives 24 hours.

Facts: "Obtaining a User Token Through Password Authentication" of IAM. A token dies early when the password, the
permissions or the user change; getting a new one leaves the old one valid.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator.cloud.credentials.credential import Credential, Token, checked, trimmed, unusable
from orchestrator.cloud.credentials.ready_token import from_environment, from_file
from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.answer import Answer, exchange_of
from orchestrator.cloud.reading.classify import classify
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.wire.transport import Headers, Route, Transport
from orchestrator.model.plan.auth import Auth
from orchestrator.model.reply.reply import (
    Busy,
    Doubtful,
    Failure,
    NotSent,
    Refused,
    Throttled,
    Unauthenticated,
)

#: Any non-empty value leaves the service catalogue out of the answer, which is large and not needed.
_TARGET = "/v3/auth/tokens?nocatalog=true"


class PasswordLogin(Struct, frozen=True, kw_only=True):
    """`user`, `domain` and `password_env` or `password_file`. Scoped by project id, else by the region's project."""

    auth: Auth
    project: dict[str, str]
    transport: Transport
    route: Route
    headers: Headers
    environ: Mapping[str, str]
    secrets: Secrets
    renew_before_s: float = 600.0

    async def fetch(self) -> Credential | Failure:
        """One request to IAM."""
        if not self.project:
            return unusable("a login with a password needs region or project_id")
        if not (self.auth.user and self.auth.domain):
            return unusable("a login with a password needs auth.user and auth.domain")
        password = await password_of(self.auth, self.environ)
        if not isinstance(password, Secret):
            return password
        self.secrets.learn(self.route, password)
        body = msgspec.json.encode(_login(self.auth, password.reveal(), self.project))
        answer = await self.transport.send(self.route, "POST", _TARGET, self.headers, body)
        return self._token(answer) if isinstance(answer, Answer) and answer.ok else self._failed(answer)

    @property
    def _what(self) -> str:
        return f"IAM login of {self.auth.user} at {self.route.host}"

    def _token(self, answer: Answer) -> Credential | Failure:
        found = checked(answer.headers.get("X-Subject-Token", ""), "X-Subject-Token in the answer of IAM")
        if not isinstance(found, Secret):
            return NotSent(f"{self._what}: no token in the answer, HTTP {answer.status}", exchange_of(answer))
        try:
            lifetime_s = decode.iam_token(answer.body)
        except decode.NotUnderstood:
            lifetime_s = None  # the token counts, its expiry is a convenience
        return Token(token=found, lifetime_s=lifetime_s)

    def _failed(self, answer: Answer | NotSent | Doubtful) -> Failure:
        failure = classify(self.secrets.searched(answer)) if isinstance(answer, Answer) else answer
        return login_failure(failure, self._what)


async def password_of(auth: Auth, environ: Mapping[str, str]) -> Secret | Failure:
    """The password that `auth` names. It may hold blanks, in its midst."""
    if auth.password_env is not None:
        return from_environment(environ, auth.password_env, trimmed)
    if auth.password_file is None:
        return unusable("a login with a password needs auth.password_env or auth.password_file")
    return await from_file(auth.password_file, environ, trimmed)


def login_failure(failure: Failure, what: str) -> Failure:
    """The failure of a call for credentials, as one of the call that needed them: that one was never sent."""
    match failure:
        case Throttled():
            return Throttled(failure.retry_after_s, failure.exchange)
        case Unauthenticated() | Refused():
            return Unauthenticated(f"{what}: {failure.reason}", failure.exchange)
        case NotSent() | Busy() | Doubtful():
            return NotSent(f"{what}: {failure.reason}", failure.exchange)


def _login(auth: Auth, password: str, project: dict[str, str]) -> dict[str, Any]:
    user = {"name": auth.user, "password": password, "domain": {"name": auth.domain}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": {"project": project}}}
