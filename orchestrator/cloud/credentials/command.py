"""A token that a program prints: run without a shell, with a time-out, and nothing that it writes is ever shown."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Event

from anyio import fail_after, to_thread
from msgspec import Struct

from orchestrator.cloud.credentials.credential import Credential, Token, checked, unusable
from orchestrator.cloud.secret import Secret
from orchestrator.model.reply import Failure

_MAX_BYTES = 64 << 10
_LOOK_EVERY_S = 0.01
_KILLED_WITHIN_S = 1.0


class TokenFromCommand(Struct, frozen=True):
    """`token_command`: an argument list. Its own arguments are the plan's, which holds no secrets."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    timeout_s: float
    renew_before_s: float = 0.0

    async def fetch(self) -> Credential | Failure:
        """Run it; what it prints is the token. Its stderr may quote the token, so nobody sees it."""
        program, given_up = self.command[0] if self.command else "", Event()
        run = partial(_printed, self.command, dict(self.environ), given_up)
        try:
            with fail_after(self.timeout_s):
                output = await to_thread.run_sync(run, abandon_on_cancel=True)
        except TimeoutError:
            return unusable(f"token_command {program} did not end within {self.timeout_s:g} s")
        except _Failed as failed:
            return unusable(f"token_command {program} {failed}")
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or "it cannot be run"
            return unusable(f"token_command {program!r}: {why}")
        finally:
            given_up.set()
        found = checked(output.decode("utf-8", "replace"), f"the output of token_command {program}")
        return Token(token=found) if isinstance(found, Secret) else found


class _Failed(Exception):
    """The command did not do what it is for; the message goes on after its name."""


def _printed(command: tuple[str, ...], environ: dict[str, str], given_up: Event) -> bytes:
    """What the command itself has printed. It leads a group of its own, which is killed when it fails us.

    A child that it leaves behind, such as an agent, lives on and may keep the output open: nobody waits for that.
    """
    process = Popen(  # noqa: S603  # the plan's own command, and no shell
        command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=environ, start_new_session=True
    )
    try:
        output = _read(process, given_up)
    except _Failed:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(TimeoutExpired):
            process.wait(_KILLED_WITHIN_S)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode != 0:
        raise _Failed(f"ended with {process.returncode}; run it by hand to see why")
    return output


def _read(process: "Popen[bytes]", given_up: Event) -> bytes:
    output = bytearray()
    while True:
        ended = process.poll() is not None  # asked first: all that it printed is in the pipe by then
        _take(process, output)
        if len(output) > _MAX_BYTES:
            raise _Failed(f"printed more than {_MAX_BYTES} bytes")
        if ended:
            return bytes(output)
        if given_up.wait(_LOOK_EVERY_S):
            raise _Failed("was given up")


def _take(process: "Popen[bytes]", output: bytearray) -> None:
    """What is in the pipe now."""
    if process.stdout is None:
        return
    os.set_blocking(process.stdout.fileno(), False)
    with suppress(BlockingIOError):
        while len(output) <= _MAX_BYTES and (chunk := os.read(process.stdout.fileno(), _MAX_BYTES)):
            output += chunk
