"""A token that a program prints; nothing else that it writes is ever shown."""

from collections.abc import Mapping

from msgspec import Struct

from orchestrator.cloud.credentials.credential import Credential, Token, checked, unusable
from orchestrator.cloud.programs.run_program import ProgramFailed, run_program
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.reply.reply import Failure


class TokenFromCommand(Struct, frozen=True):
    """`token_command`: an argument list. Its own arguments are the plan's, which holds no secrets."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    timeout_s: float
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """Run it; what it prints is the token. Its stderr may quote the token, so nobody sees it."""
        program = f"token_command {self.command[0] if self.command else ''}"
        try:
            ran = await run_program(self.command, self.environ, timeout_s=self.timeout_s)
        except ProgramFailed as failed:
            return unusable(f"{program} {failed}")
        if ran.status != 0:
            return unusable(f"{program} ended with {ran.status}; run it by hand to see why")
        found = checked(ran.output.decode("utf-8", "replace"), f"the output of {program}")
        return Token(token=found) if isinstance(found, Secret) else found
