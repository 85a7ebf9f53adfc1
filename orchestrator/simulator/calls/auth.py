"""Who may call: tokens and access keys, checked for real.

A token or signature that is wrong, expired or for another project is refused with 401 APIGW.0301; signatures must be
dated within 15 minutes of the cloud's clock; more than five consecutive wrong signatures lock an access key for five
minutes (signing guide; OCR FAQ ocr_01_0063 for the lock).
"""

import re
from datetime import UTC, datetime

import msgspec

from orchestrator.simulator.calls.signature import matches, parse
from orchestrator.simulator.chance import hexadecimal
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.wire import Request

MAX_SKEW_S = 15 * 60
LOCK_AFTER = 5
LOCK_S = 5 * 60
TOKEN_LIFETIME_S = 24 * 3600
_PREFIX = "Incorrect IAM authentication information: "
_DATE = re.compile(r"\d{8}T\d{6}Z")


class Token(msgspec.Struct, frozen=True):
    """A token: for one project, or for every project; without an end when it was set from outside."""

    project_id: str | None = None
    expires_at: float | None = None


class Key(msgspec.Struct):
    """An access key. A temporary one has a security token and an end."""

    secret_key: str
    security_token: str | None = None
    expires_at: float | None = None
    failures: int = 0
    locked_until: float = 0.0


class Keyring:
    """All credentials that this cloud knows. Instants are by the true clock."""

    def __init__(self, config: SimulatorConfig, *, lifetime_s: float | None, skew_s: float) -> None:
        self._seed = config.seed
        self._speed = config.speed
        self._skew_s = skew_s
        self.lifetime_s = TOKEN_LIFETIME_S if lifetime_s is None else lifetime_s / config.speed
        self.tokens = {config.accepted_token(): Token()}
        self.keys: dict[str, Key] = {}
        self._issued = 0
        if config.access_key is not None and config.secret_key is not None:
            self.keys[config.access_key] = Key(config.secret_key, config.security_token)

    def issue_token(self, project_id: str, t: float) -> tuple[str, Token]:
        """A new token for one project; those given out before stay valid."""
        self._issued += 1
        text = "MIIS" + "".join(hexadecimal(64, self._seed, "issued", self._issued, part) for part in range(16))
        self.tokens[text] = Token(project_id, t + self.lifetime_s)
        return text, self.tokens[text]

    def issue_key(self, t: float) -> tuple[str, Key]:
        """A temporary access key, as the metadata service gives it to a machine with an agency."""
        self._issued += 1
        access_key = "HST" + hexadecimal(17, self._seed, "temporary", self._issued).upper()
        secret = hexadecimal(40, self._seed, "temporary_secret", self._issued)
        security = "ggpj" + hexadecimal(64, self._seed, "security_token", self._issued)
        self.keys[access_key] = Key(secret, security, t + self.lifetime_s)
        return access_key, self.keys[access_key]

    def revoke(self, token: str) -> None:
        """The token is worth nothing from now on."""
        self.tokens.pop(token, None)

    def refuses(self, request: Request, project_id: str | None, t: float) -> str | None:
        """Why the request's credentials are not accepted for the project; None when they are."""
        token = request.headers.get("x-auth-token")
        if token is not None:
            return self._refuses_token(token, project_id, t)
        authorization = request.headers.get("authorization")
        if authorization is None:
            return _PREFIX + "x-auth-token not found"
        return self._refuses_signature(request, authorization, t)

    def _refuses_token(self, token: str, project_id: str | None, t: float) -> str | None:
        known = self.tokens.get(token)
        if known is None:
            return _PREFIX + "decrypt token fail"
        if known.expires_at is not None and known.expires_at <= t:
            return _PREFIX + "token expires"
        if project_id is not None and known.project_id not in {None, project_id}:
            return _PREFIX + "token is not for this project"
        return None

    def _refuses_signature(self, request: Request, authorization: str, t: float) -> str | None:
        signature = parse(authorization)
        key = None if signature is None else self.keys.get(signature.access_key)
        if signature is None or key is None:
            return _PREFIX + "verify aksk signature fail, no such access key"
        if key.locked_until > t:
            return _PREFIX + "the access key is locked"
        if not self._in_time(request, t):
            return _PREFIX + "verify aksk signature fail, the time of the request is too far from the server's"
        if not matches(request, signature, key.secret_key):
            self._count_failure(key, t)
            return _PREFIX + "verify aksk signature fail"
        key.failures = 0
        return self._refuses_temporary(request, key, t)

    @staticmethod
    def _refuses_temporary(request: Request, key: Key, t: float) -> str | None:
        if key.security_token is not None and request.headers.get("x-security-token") != key.security_token:
            return _PREFIX + "the security token is wrong"
        if key.expires_at is not None and key.expires_at <= t:
            return _PREFIX + "the security token expires"
        return None

    def _count_failure(self, key: Key, t: float) -> None:
        key.failures += 1
        if key.failures > LOCK_AFTER:
            key.failures = 0
            key.locked_until = t + LOCK_S / self._speed

    def _in_time(self, request: Request, t: float) -> bool:
        stated = request.headers.get("x-sdk-date", "")
        if not _DATE.fullmatch(stated):
            return False
        try:
            signed = datetime.strptime(stated, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:  # digits that are no date
            return False
        return abs(signed - (t + self._skew_s)) <= MAX_SKEW_S
