"""The last thing that `run` prints: outcomes, why the cloud refused, what needs a look, and what to do next."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from orchestrator.errors import ExitCode
from orchestrator.plain import plain
from orchestrator.tracker.report.schema import Head
from orchestrator.tracker.report.text_form import outcome_lines, reject_lines, reject_title

_REASONS = 5
_GOES_ON = "it goes on where it was; if this happens again, report the bug"


def summary(
    head: Head, attention: Iterable[str], next_step: str, report: Path, exit_code: ExitCode, whys: Sequence[str] = ()
) -> str:
    """A few lines for the person at the terminal, or for cron's mail.

    Args:
        head: of the report.
        attention: lines about what a person should look at.
        next_step: what to do.
        report: where the report is.
        exit_code: of the session.
        whys: why the session ended, one reason each; none where the outcomes say it.
    """
    run = head.run
    state = run.state if exit_code is not ExitCode.SCOPE_UNUSABLE else f"{run.state}, a scope cannot be used"
    lines = [f"{'SIMULATED: ' if run.simulated else ''}{run.name} -> {run.target_version}: {state}"]
    lines += outcome_lines(head)
    if head.reject_reasons:
        lines += [reject_title(head), *reject_lines(head, _REASONS)]
    if len(head.reject_reasons) > _REASONS:
        lines.append(f"  and {len(head.reject_reasons) - _REASONS} more reasons, in the report")
    lines += attention
    lines += [f"why: {why}" for why in whys]
    more = f"; {_GOES_ON}" if exit_code is ExitCode.INTERNAL else ""
    return "\n".join(map(plain, [*lines, f"report: {report}", f"next: {next_step}{more}"]))
