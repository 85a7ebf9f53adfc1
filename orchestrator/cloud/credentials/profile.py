"""An access key from the profile file that Huawei's SDKs share: `~/.huaweicloud/credentials`, an INI file.

The SDK itself looks for `[basic]` when asked for basic credentials and for `[basiccredentials]` in its implicit chain
(`huaweicloudsdkcore.auth.provider`), so each name stands for the other when only that one is there.
"""

from collections.abc import Mapping
from configparser import ConfigParser, SectionProxy
from configparser import Error as IniError
from pathlib import Path

from msgspec import Struct

from orchestrator.cloud.credentials.credential import AccessKey, Credential, checked, unusable
from orchestrator.cloud.credentials.files import at_home, read_text
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.reply.reply import Failure

_SAME = {"basic": "basiccredentials", "basiccredentials": "basic"}


class Profile(Struct, frozen=True):
    """`profile`: one section of the file. Its `project_id` and `iam_endpoint` are not used: they are the plan's."""

    section: str
    environ: Mapping[str, str]
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """The file's present content."""
        path = profile_path(self.environ)
        text = await read_text(path)
        if not isinstance(text, str):
            return text
        try:
            # Keys may hold a percent sign, which the usual interpolation would take for its own.
            parser = ConfigParser(interpolation=None)
            parser.read_string(text)
        except IniError:
            return unusable(f"{path}: not an INI file")  # the parser's message would quote the line
        for name in (self.section, _SAME.get(self.section, self.section)):
            if parser.has_section(name):
                return _key(parser[name], f"{path}: [{name}]")
        return unusable(f"{path}: no section [{self.section}]")


def profile_path(environ: Mapping[str, str]) -> Path:
    """Where the profile file is."""
    return at_home(environ.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE") or "~/.huaweicloud/credentials", environ)


def _key(section: SectionProxy, where: str) -> Credential | Failure:
    access, secret = (checked(section.get(key, ""), f"{where} {key}") for key in ("ak", "sk"))
    if not isinstance(access, Secret):
        return access
    if not isinstance(secret, Secret):
        return secret
    written = section.get("security_token", "")
    token = checked(written, f"{where} security_token") if written.strip() else None
    if token is not None and not isinstance(token, Secret):
        return token
    return AccessKey(access_key=access, secret_key=secret, security_token=token)
