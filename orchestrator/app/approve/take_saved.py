"""`run FILE`: what was approved is what runs, or the differences are named and nothing starts."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import structs

from orchestrator.app.preview.preview_plan import PreviewRequest, preview_plan
from orchestrator.app.run.approved import Approved, Exactly
from orchestrator.errors import PlanError, ScopeUnusable
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import changes_between, settings_changed
from orchestrator.model.plan.target import Target
from orchestrator.planner.plan_file.load import load_plan, plan_of, read_bytes
from orchestrator.planner.preview.saved_preview import SavedPreview, SavedTarget, differences, saved_targets
from orchestrator.spoken import counted

#: So many differences are named one by one.
_NAMED = 100


class Taken(msgspec.Struct, frozen=True):
    """A saved preview as it was read.

    Attributes:
        file: where it was.
        sha256: of its bytes.
        plan: as it was approved.
    """

    file: Path
    sha256: str
    saved: SavedPreview
    plan: Plan

    def approved(self, request: PreviewRequest) -> Approved:
        """What makes a session run exactly this, or not at all.

        Args:
            request: of a preview of the same plan, with the options that it was saved with.
        """
        return Approved(self.sha256, lambda: _compared(self, request))


def take_saved(file: Path) -> Taken:
    """Read a saved preview.

    Raises:
        PlanError: it is none that this version can read, or was changed by hand.
    """
    data = read_bytes(file)
    try:
        saved = msgspec.json.decode(data, type=SavedPreview)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PlanError(f"{file}: is no saved preview that this version can read: {error}", hint=_AGAIN) from None
    text = saved.plan.text.encode(errors="surrogatepass")
    if sha256(text).hexdigest() != saved.plan.sha256:
        raise PlanError(f"{file}: was changed by hand: the text of its plan has another SHA-256", hint=_AGAIN)
    plan = plan_of(text, path_of(saved.plan.path), saved.set)
    return Taken(file, sha256(data).hexdigest(), saved, plan)


_AGAIN = "make it again with `plan --out`"


def _compared(taken: Taken, request: PreviewRequest) -> Exactly:
    """The targets as they are now, when nothing differs.

    Raises:
        PlanError: something differs.
        ScopeUnusable: a scope cannot be used, so nobody knows.
    """
    found = preview_plan(request)
    for name, why in found.unusable.items():
        raise ScopeUnusable(f"scope {name} cannot be used: {why}", hint="nothing has started; start again later")
    now = saved_targets(found.preview, found.targets)
    changes = (f"the plan: {change}" for change in found.coming.changes)
    lines = [*_plan_changes(taken), *changes, *differences(taken.saved.targets, now)]
    if lines:
        raise _refused(taken, lines)
    return Exactly(
        targets=tuple(map(_bound, now)),
        skipped={each.target.proxy_id: each.skipped for each in now if each.skipped is not None},
    )


def _bound(each: SavedTarget) -> Target:
    """The target, to be upgraded from the version that was approved and no other."""
    return each.target if each.version is None else structs.replace(each.target, source_version=each.version)


def _plan_changes(taken: Taken) -> Iterator[str]:
    """How the plan file differs from the text that was approved."""
    path = path_of(taken.saved.plan.path)
    try:
        if sha256(read_bytes(path)).hexdigest() == taken.saved.plan.sha256:
            return
        now = load_plan(path, taken.saved.set)
    except PlanError as error:
        yield from str(error).split("\n")
        return
    changed = [*changes_between(taken.plan, now)]
    changed += [f"{key}: {change}" for key, change in settings_changed(taken.plan, now).items()]
    yield from (f"the plan: {change}" for change in changed or ["another text of the same meaning"])


def _refused(taken: Taken, lines: Sequence[str]) -> PlanError:
    more = [f"and {counted(len(lines) - _NAMED, 'more difference', 'more differences')}"]
    head = f"{taken.file}: a start now would do something else: {counted(len(lines), 'difference')}; nothing was sent"
    named = [f"  {line}" for line in (*islice(lines, _NAMED), *(more if len(lines) > _NAMED else []))]
    return PlanError("\n".join([head, *named]), hint="preview and approve it again: orchestrator plan PLAN --out FILE")
