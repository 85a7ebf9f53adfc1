"""`plan --out`: the preview as a file, for a person to approve, and for `run` to run exactly that."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from orchestrator import __version__
from orchestrator.app.preview.preview_plan import PreviewedPlan, PreviewRequest
from orchestrator.errors import PlanError, ScopeUnusable, UsageError
from orchestrator.host import is_lasting, machine_name, user_name
from orchestrator.model.plan.person import person
from orchestrator.model.plan.plan import Plan
from orchestrator.planner.plan_file.load import is_saved_preview, read_bytes
from orchestrator.planner.preview.saved_preview import SavedPlan, SavedPreview, saved_targets
from orchestrator.spoken import counted
from orchestrator.tracker.disk import put_file


def expect_savable(plan: Path, out: Path, *, offline: bool) -> None:
    """See that a preview of this plan can be saved there, before anything is read.

    Raises:
        UsageError: it cannot.
    """
    if offline:
        raise UsageError(
            "--out: goes not with --offline", hint="what is approved has the versions that the cloud tells"
        )
    if not is_lasting(plan):
        raise UsageError("--out: the plan comes from a pipe, and could not be compared later", hint="name a plan file")
    if out.is_file() and not is_saved_preview(out):
        raise UsageError(f"--out: {out} is there already, and is no saved preview; it is left as it is")


def save_preview(
    found: PreviewedPlan, request: PreviewRequest, overrides: Mapping[str, str], plan: Path, out: Path
) -> str:
    """Write the file.

    Args:
        found: the preview, for which the cloud was asked.
        request: what was asked for.
        overrides: keys of the plan that options have set.
        plan: the plan file.
        out: where the preview goes.

    Returns:
        The SHA-256 of the file, by which an approval can name it.

    Raises:
        PlanError: a start now would start nothing, or the plan file changes while it is read.
        ScopeUnusable: the version of a proxy could not be read, so nobody knows what would be upgraded.
        StateError: the file could not be written.
    """
    _expect_complete(found, out)
    asked = request.asked
    saved = SavedPreview(
        made_at=request.now,
        made_by=person(user_name(), machine_name()),
        orchestrator_version=__version__,
        simulated=request.redirect is not None,
        plan=_saved_plan(request.plan, plan),
        set=dict(overrides),
        new=asked.new,
        only_outcome=None if asked.only is None else tuple(sorted(asked.only)),
        targets=saved_targets(found.preview, found.targets),
    )
    data = msgspec.json.format(msgspec.json.encode(saved), indent=1) + b"\n"
    put_file(out, [data])
    return sha256(data).hexdigest()


def _expect_complete(found: PreviewedPlan, out: Path) -> None:
    if found.coming.changes:
        raise PlanError(
            f"{out}: is not written: changed since run {found.coming.continues} began: {found.coming.changes[0]}",
            hint="preview a new run with --new, or put the plan back as it was",
        )
    unread = sum(len(step.targets) for wave in found.preview.waves for step in wave.groups if not step.source_version)
    if unread:
        raise ScopeUnusable(
            f"{out}: is not written: the version of {counted(unread, 'proxy', 'proxies')} could not be read",
            hint="see above why, and make the preview again",
        )


def _saved_plan(plan: Plan, path: Path) -> SavedPlan:
    data = read_bytes(path)
    if sha256(data).hexdigest() != plan.sha256:
        raise PlanError(f"{path}: changed while the preview was made", hint="make the preview again")
    return SavedPlan(path=plan.path, sha256=plan.sha256, text=data.decode())
