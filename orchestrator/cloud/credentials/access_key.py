"""An access key pair from environment variables, permanent or with the security token of a temporary one."""

from collections.abc import Mapping

from msgspec import Struct

from orchestrator.cloud.credentials.credential import AccessKey, Credential, unusable
from orchestrator.cloud.credentials.ready_token import from_environment
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.reply.reply import Failure


class AccessKeyFromEnvironment(Struct, frozen=True):
    """`access_key_env`, `secret_key_env`, `security_token_env`: names of variables."""

    access_key: str
    secret_key: str
    security_token: str | None
    environ: Mapping[str, str]
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """The variables' present values; one that is named and not set is an error, never a weaker key."""
        access, secret = (from_environment(self.environ, name) for name in (self.access_key, self.secret_key))
        if not isinstance(access, Secret):
            return access
        if not isinstance(secret, Secret):
            return secret
        token = from_environment(self.environ, self.security_token) if self.security_token else None
        if token is not None and not isinstance(token, Secret):
            return token
        if "," in access.reveal():  # it would split the Authorization header
            return unusable(f"environment variable {self.access_key} holds a comma")
        return AccessKey(access_key=access, secret_key=secret, security_token=token)
