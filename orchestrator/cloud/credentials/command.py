"""A token that a program prints: run without a shell, with a time-out, its output never shown."""

import re
from collections.abc import Mapping
from subprocess import DEVNULL

from anyio import fail_after, run_process
from msgspec import Struct

from orchestrator.cloud.credentials.credential import Credential, Token, checked, unusable
from orchestrator.cloud.error_body import excerpt
from orchestrator.cloud.secret import HIDDEN, Secret
from orchestrator.model.reply import Failure

#: Anything this long without a blank may be a key or a token, and a program's complaint may quote one.
_LOOKS_SECRET = re.compile(r"[A-Za-z0-9+/=_.\-]{16,}")


class TokenFromCommand(Struct, frozen=True):
    """`token_command`: an argument list. Its own arguments are the plan's, which holds no secrets."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    timeout_s: float
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """Run it; what it prints is the token."""
        program = self.command[0] if self.command else ""
        try:
            with fail_after(self.timeout_s):
                done = await run_process(list(self.command), check=False, stdin=DEVNULL, env=dict(self.environ))
        except TimeoutError:
            return unusable(f"token_command {program} did not end within {self.timeout_s:g} s")
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or "it cannot be run"
            return unusable(f"token_command {program!r}: {why}")
        if done.returncode != 0:
            return unusable(f"token_command {program} ended with {done.returncode}: {_complaint(done.stderr)}")
        found = checked(done.stdout.decode("utf-8", "replace"), f"the output of token_command {program}")
        return Token(token=found) if isinstance(found, Secret) else found


def _complaint(stderr: bytes) -> str:
    """The last line that the program wrote to stderr, without anything that looks like a secret."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return excerpt(_LOOKS_SECRET.sub(HIDDEN, lines[-1])) if lines else "no message"
