"""Credentials that a plan does not name: the places where a site already has them, the first that is there."""

from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread
from msgspec import Struct

from orchestrator.cloud.credentials.access_key import AccessKeyFromEnvironment
from orchestrator.cloud.credentials.credential import Credential, Source, unusable
from orchestrator.cloud.credentials.profile import Profile, profile_path
from orchestrator.cloud.credentials.ready_token import TokenFromEnvironment
from orchestrator.model.reply.reply import Failure

TOKEN = "HW_AUTH_TOKEN"  # noqa: S105 - the name of a variable

#: Of Huawei's SDKs, then of Terraform's provider: access key, secret key, security token.
KEYS = (
    ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"),
)


class DefaultChain(Struct, frozen=True):
    """No `auth`. A place that is half filled is an error: the next one might be another account."""

    environ: Mapping[str, str]
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """From the first place that is there."""
        source = self._from_environment()
        if source is not None:
            return await source.fetch()
        path = profile_path(self.environ)
        if await to_thread.run_sync(_is_there, path):
            return await Profile("basic", self.environ).fetch()
        pairs = " and ".join(f"{access}/{secret}" for access, secret, _ in KEYS)
        return unusable(f"none found: {TOKEN}, {pairs} are not set, and there is no {path}; or write auth in the plan")

    def _from_environment(self) -> Source | None:
        if self.environ.get(TOKEN):
            return TokenFromEnvironment(TOKEN, self.environ)
        for access, secret, token in KEYS:
            if self.environ.get(access) or self.environ.get(secret):
                given = token if self.environ.get(token) else None
                return AccessKeyFromEnvironment(access, secret, given, self.environ)
        return None


def _is_there(path: Path) -> bool:
    """Also when it cannot be read: then the message says so, and not that there is none."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
