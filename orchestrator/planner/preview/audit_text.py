"""An audit as plain text: the verdict first, then what needs a person, proxy by proxy; what is well as numbers."""

from collections.abc import Iterator

from orchestrator.model.plan.target import Target
from orchestrator.planner.preview.audit import Audit, Scheduled
from orchestrator.spoken import counted


def audit_lines(audit: Audit, *, rows: int | None = None) -> Iterator[str]:
    """The lines of an audit.

    Args:
        audit: what was found.
        rows: most rows of each list; None for all of them.
    """
    yield f"audit since run {audit.run_id}, target version {audit.target_version}: {_verdict(audit)}"
    for finding in audit.findings:
        yield f"  {finding.what.replace('_', ' ')}, {finding.why}: {counted(len(finding.targets), 'proxy', 'proxies')}"
        if not finding.well:
            yield from _limited([_row(target) for target in finding.targets], rows)
    if audit.scheduled:
        yield f"  scheduled in the console: {counted(len(audit.scheduled), 'proxy', 'proxies')}"
        yield from _limited([_scheduled(each) for each in audit.scheduled], rows)
    if audit.not_asked:
        yield f"  scheduled in the console: not known of all: {audit.not_asked}"


def _verdict(audit: Audit) -> str:
    if audit.well:
        return "all is well"
    return "not as it should be" if audit.news else "nothing new; what is not as it should be, its run has told"


def _row(target: Target) -> str:
    name = f"  {target.called}" if target.called else ""
    return f"    {target.scope}  {target.instance_id}  {target.proxy_id}{name}"


def _scheduled(each: Scheduled) -> str:
    when = f"  from {each.starts_at}" if each.starts_at else ""
    return f"{_row(each.target)}{when}  {each.status or ''}".rstrip()


def _limited(lines: list[str], limit: int | None) -> Iterator[str]:
    shown = lines if limit is None else lines[:limit]
    yield from shown
    if len(shown) < len(lines):
        yield f"    … and {len(lines) - len(shown):,} more"
