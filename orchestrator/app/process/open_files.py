"""How many files and connections this process may have open, and what of a plan fits into that.

The soft limit (`ulimit -Sn`) is often far below what a plan asks for, and the hard one far above: it is raised as far
as needed. Where that is not enough, fewer calls are made at once, so that journal, report and lock always find room.
"""

import resource

import msgspec

from orchestrator.errors import UsageError
from orchestrator.model.plan.plan import Plan

#: For standard streams, event loop, journal, report, lock, log, commands, certificates and names being looked up.
_RESERVED = 32
#: Connections of a host beside those of the attempts: polls and preflights.
_SPARE = 20
#: A host has connections for reads, and others for all that is no read.
_KINDS = 2
#: With fewer, a call and the poll beside it would wait for each other.
_FEWEST = 2


class FileRoom(msgspec.Struct, frozen=True):
    """What fits.

    Attributes:
        connections: most to one host, for reads and for the rest.
        concurrency: upgrade calls under way at once.
        warning: why that is less than the plan asks for; None when it is not.
    """

    connections: int
    concurrency: int
    warning: str | None = None


def make_room(plan: Plan, *, ends: int = 1) -> FileRoom:
    """Raise the soft limit as far as the plan needs and the hard limit allows, and say what fits.

    Args:
        plan: its scopes and `limits.concurrency` count.
        ends: of each connection in this process; 2 when the simulated cloud is here too.

    Raises:
        UsageError: not even two connections fit.
    """
    hosts = len({(scope.endpoint or scope.region, scope.iam_endpoint) for scope in plan.scopes}) + 1  # and IAM's
    # A preview reads with `concurrency` calls at once in each scope, and all scopes may be on one host.
    wanted = max(2, len(plan.scopes)) * plan.limits.concurrency + _SPARE
    each = hosts * _KINDS * ends
    limit = _raise_limit(_RESERVED + wanted * each)
    fit = min(wanted, (limit - _RESERVED) // each)
    if fit < _FEWEST:
        raise _too_few(limit, _RESERVED + _FEWEST * each)
    concurrency = min(plan.limits.concurrency, fit)
    return FileRoom(fit, concurrency, _warning(limit, concurrency, plan))


def expect_files(*, ends: int = 1) -> None:
    """Raise the soft limit as far as any call needs: below that an event loop ends the process without a word.

    Args:
        ends: as in `make_room`.

    Raises:
        UsageError: not even two connections fit.
    """
    needed = _RESERVED + _FEWEST * _KINDS * ends
    limit = _raise_limit(needed)
    if limit < needed:
        raise _too_few(limit, needed)


def _too_few(limit: int, needed: int) -> UsageError:
    return UsageError(
        f"open files: this process may have {limit} open, and needs at least {needed}",
        hint="raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)",
    )


def _raise_limit(wanted: int) -> int:
    """How many files may be open, after raising the soft limit to what is wanted, or to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    except (OSError, ValueError):  # some systems allow less than they say
        return soft
    return limit


def _warning(limit: int, concurrency: int, plan: Plan) -> str | None:
    if concurrency == plan.limits.concurrency:
        return None
    return (
        f"open files: this process may have {limit} open, so at most {concurrency} upgrade calls are under way at once "
        f"in place of {plan.limits.concurrency}; raise the hard limit (ulimit -Hn)"
    )
