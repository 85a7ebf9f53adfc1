"""Those who are told: each entry of `notify` as something that takes a notice, or says why not. All of it may block."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from orchestrator.app.notify import post
from orchestrator.app.notify.notice import CONTENT_TYPE, SIGNATURE, Notice, signed
from orchestrator.app.notify.untold import Untold
from orchestrator.cloud.credentials.credential import trimmed
from orchestrator.cloud.programs.run_program import ProgramFailed, run_here
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.cloud.without_secrets import without_secrets
from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Http, Notify, Plan

#: A receiver is waited for so long.
ATTEMPT_S = 10.0

#: What a dead man's switch is told besides.
_OF_SESSIONS = frozenset({"session_started", "session_ended"})

#: With these the night went as it should.
_HEALTHY = frozenset({ExitCode.DONE, ExitCode.MORE_TO_DO})


class Receiver(Struct, frozen=True):
    """Who is told of what.

    Attributes:
        name: for people, and for what is kept of it.
        kinds: what it is told of.
        tell: tells it, within about `ATTEMPT_S`; raises `Untold`.
        secrets: what nobody may see, as far as it is known.
    """

    name: str
    kinds: frozenset[str]
    tell: Callable[[Notice], None]
    secrets: tuple[Secret, ...] = ()


def receivers(plan: Plan, environ: Mapping[str, str]) -> list[Receiver]:
    """The receivers of a plan, in its order; several entries of one receiver are one."""
    found: dict[str, Receiver] = {}
    for entry in plan.notify:
        kinds = frozenset(entry.on) | (_OF_SESSIONS if entry.ping_env else frozenset())
        name = entry.name if entry.command is None else f"command {' '.join(entry.command)}"
        if name in found:
            kinds |= found[name].kinds
        found[name] = Receiver(name, kinds, _way(entry, plan, environ), _secrets(entry, environ))
    return list(found.values())


def _secrets(entry: Notify, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    names = (entry.webhook_env, entry.secret_env, entry.apprise_env, entry.ping_env)
    found = (trimmed(environ[name], name) for name in names if name is not None and name in environ)
    return tuple(each for each in found if isinstance(each, Secret))


def _way(entry: Notify, plan: Plan, environ: Mapping[str, str]) -> Callable[[Notice], None]:
    def tell(notice: Notice) -> None:
        if entry.command is not None:
            run_command(entry.command, without_secrets(plan, environ), notice.cloud_event())
        elif entry.webhook_env is not None:
            secret = None if entry.secret_env is None else secret_in(environ, entry.secret_env)
            _webhook(secret_in(environ, entry.webhook_env), secret, plan.http, notice)
        elif entry.apprise_env is not None:
            _apprise(secret_in(environ, entry.apprise_env), notice)
        elif entry.ping_env is not None:
            _ping(secret_in(environ, entry.ping_env), plan.http, notice)

    return tell


def secret_in(environ: Mapping[str, str], name: str) -> str:
    """The value of a variable.

    Raises:
        Untold: it is not set, or holds nothing that could be used.
    """
    if name not in environ:
        raise Untold(f"${name} is not set")
    found = trimmed(environ[name], f"${name}")
    if not isinstance(found, Secret):
        raise Untold(found.reason.removeprefix("credentials: "))
    return found.reveal()


def run_command(command: Sequence[str], environ: Mapping[str, str], event: bytes) -> None:
    """Run a program with the event on its stdin. What it prints is shown to nobody; killed when late.

    Raises:
        Untold: it cannot be run, does not end in time, or ends with another code than 0.
    """
    try:
        ran = run_here(tuple(command), environ, timeout_s=ATTEMPT_S, told=event, heard=False)
    except ProgramFailed as failed:
        raise Untold(str(failed)) from None
    if ran.status != 0:
        raise Untold(f"ended with {ran.status}; run it by hand to see why")


def _webhook(address: str, secret: str | None, http: Http, notice: Notice) -> None:
    body = notice.cloud_event()
    headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "orchestrator"}
    if secret is not None:
        headers[SIGNATURE] = signed(body, secret)
    post.request(address, http, ATTEMPT_S, body, headers)


def _ping(address: str, http: Http, notice: Notice) -> None:
    post.check_address(address, http)
    post.request(ping_address(address, notice), http, ATTEMPT_S, None, {"User-Agent": "orchestrator"})


def ping_address(address: str, notice: Notice) -> str:
    """Where a dead man's switch is told of a notice: `/start`, `/fail`, or its own address for success."""
    if notice.kind == "session_started":
        end = "/start"
    elif notice.kind == "test" or notice.exit_code in _HEALTHY:
        end = ""
    else:
        end = "/fail"
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + end if end else parts.path))


def _apprise(address: str, notice: Notice) -> None:
    import logging  # noqa: PLC0415  # only where it is used

    try:
        from apprise import Apprise  # noqa: PLC0415  # an extra, imported only where it is used
    except ImportError:
        raise Untold("Apprise is not installed: pip install 'proxy-fleet-orchestrator[notify]'") from None
    logging.getLogger("apprise").propagate = False  # it may quote the address
    courier = Apprise()
    if not courier.add(address):
        raise Untold("its variable holds no address that Apprise knows")
    if not courier.notify(title=notice.title, body=notice.text):
        raise Untold("did not take it")
