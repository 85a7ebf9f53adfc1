"""Temporary keys of the agency that is bound to this ECS, from the metadata service of the machine itself.

Facts: `huaweicloudsdkcore.auth.internal.MetadataAccessor`. The service is plain http on a link-local address, which
leads to no network; where it offers tokens (`PUT …/api/token`) they are used, where it does not, it works without.
"""

from datetime import timedelta
from typing import Any

from multidict import CIMultiDict

from orchestrator.cloud.credentials.credential import AccessKey, Credential, checked, unusable
from orchestrator.cloud.credentials.password_login import login_failure
from orchestrator.cloud.reading.answer import Answer, cloud_offset_s
from orchestrator.cloud.reading.classify import classify
from orchestrator.cloud.reading.json_body import read_body
from orchestrator.cloud.reading.lenient import instant, text
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.transport import Headers, Route, Transport
from orchestrator.model.reply.foreign import Unreadable
from orchestrator.model.reply.reply import Doubtful, Failure, NotSent

METADATA = "http://169.254.169.254"
METADATA_TIMEOUT_S = 3.0

_TOKEN_PATH = "/meta-data/latest/api/token"  # noqa: S105 - a path
_KEY_PATH = "/openstack/latest/securitykey"
_TOKEN_LIFETIME_S = 21600
_WITHOUT_TOKENS = frozenset({404, 405, 503})
_ASK_AGAIN_AFTER_S = 86400.0
_UNAUTHORIZED = 401
_NO_AGENCY = b"Please configure Cloud Service Agency first"


class Agency:
    """`agency: true`. The keys are replaced when less than 40 minutes of them remain, as the SDK does."""

    renew_before_s = 40 * 60.0

    def __init__(self, transport: Transport, route: Route, clock: TimeSource, secrets: Secrets) -> None:
        self._transport = transport
        self._route = route
        self._clock = clock
        self._secrets = secrets
        self._token: Secret | None = None
        self._token_until_s = float("-inf")

    async def fetch(self) -> Credential | Failure:
        """At most four requests: token and key, and both once more when the token was refused."""
        await self._see_to_token()
        answer = await self._get_key()
        if isinstance(answer, Answer) and answer.status == _UNAUTHORIZED and _NO_AGENCY not in answer.body:
            self._token_until_s = float("-inf")
            await self._see_to_token()
            answer = await self._get_key()
        if isinstance(answer, Answer):
            return _key(answer) if answer.ok else self._refused(answer)
        return NotSent(f"ECS agency: {answer.reason}; is this machine an ECS?", answer.exchange)

    async def _see_to_token(self) -> None:
        """Get a metadata token unless there is one, or it is known that the service has none."""
        now_s = self._clock.monotonic()
        if now_s < self._token_until_s:
            return
        headers = CIMultiDict({"X-Metadata-Token-Ttl-Seconds": str(_TOKEN_LIFETIME_S), "Host": self._route.host})
        answer = await self._transport.send(self._route, "PUT", _TOKEN_PATH, headers)
        self._token = None
        if not isinstance(answer, Answer):
            return
        if answer.ok:
            found = checked(answer.body.decode("utf-8", "replace"), "the metadata token")
            if isinstance(found, Secret):
                self._secrets.learn(self, found)
                self._token = found
            self._token_until_s = now_s + _TOKEN_LIFETIME_S / 2
        elif answer.status in _WITHOUT_TOKENS:
            self._token_until_s = now_s + _ASK_AGAIN_AFTER_S

    async def _get_key(self) -> Answer | NotSent | Doubtful:
        headers: Headers = CIMultiDict({"Host": self._route.host})
        if self._token is not None:
            headers["X-Metadata-Token"] = self._token.reveal()
        return await self._transport.send(self._route, "GET", _KEY_PATH, headers)

    def _refused(self, answer: Answer) -> Failure:
        failure = classify(self._secrets.searched(answer))
        return login_failure(failure, "ECS agency: no keys; is an agency bound to this ECS?")


def _key(answer: Answer) -> Credential | Failure:
    try:
        data: Any = read_body(answer.body)
    except Unreadable:
        data = None
    inner = data.get("credential") if isinstance(data, dict) else None
    if not isinstance(inner, dict):
        return NotSent("ECS agency: the metadata service answered without a credential")
    parts = {name: checked(text(inner.get(name)) or "", f"ECS agency: {name}") for name in _FIELDS}
    access, secret, token = (parts[name] for name in _FIELDS)
    if not (isinstance(access, Secret) and isinstance(secret, Secret) and isinstance(token, Secret)):
        return unusable("ECS agency: the metadata service answered with an incomplete credential")
    expires = instant(inner.get("expires_at"))
    here = answer.at + timedelta(seconds=cloud_offset_s(answer.headers.get("Date"), answer.at) or 0.0)
    lifetime_s = (expires - here).total_seconds() if expires else None
    return AccessKey(access_key=access, secret_key=secret, security_token=token, lifetime_s=lifetime_s)


_FIELDS = ("access", "secret", "securitytoken")
