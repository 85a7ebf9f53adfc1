"""The two forms of a report beside the journal of its run: JSON for tools, and a page that says the same to people."""

from collections.abc import Iterator

from msgspec import Struct, structs

from orchestrator.app.report.full_story import full_story
from orchestrator.errors import place_of
from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.run import Run
from orchestrator.tracker.disk import put_file
from orchestrator.tracker.named_plan import named_plan, world_of
from orchestrator.tracker.report.build import Story
from orchestrator.tracker.report.json_form import report_chunks
from orchestrator.tracker.report.page.content import Content, empty_content
from orchestrator.tracker.state_store import StoredRun


class Draft(Struct, frozen=True):
    """A page that can be drawn: a report, and what was gathered of its targets. Nothing of it changes any more."""

    story: Story
    found: Content


def write_reports(stored: StoredRun, run: Run, plan: Plan, *, exit_code: int | None = None) -> str | None:
    """Write both as the run stands: each completely, or not at all.

    Args:
        stored: where the run is kept.
        run: with at least its first record.
        plan: as in force.
        exit_code: of the session that is about to end; None for what the journal says.

    Returns:
        Why there is no new page, if so: the report has all of it, and the run does not depend on it.

    Raises:
        StateError: the report cannot be written; what was there before still is.
    """
    draft = _draft(stored, run, plan, exit_code)
    put_file(stored.report, _chunks(draft))
    try:
        draw(stored, draft)
    except Exception as error:  # noqa: BLE001  # a bulkhead: the report is there
        return f"the page of the report could not be made: {place_of(error)}"
    return None


def write_snapshot(stored: StoredRun, run: Run, plan: Plan) -> Draft:
    """Write the report alone; the page is yet to be drawn from what is returned.

    Raises:
        StateError: it cannot be written; what was there before still is.
    """
    draft = _draft(stored, run, plan, None)
    put_file(stored.report, _chunks(draft))
    return draft


def draw(stored: StoredRun, draft: Draft) -> None:
    """Write the page.

    Raises:
        StateError: it cannot be written; what was there before still is.
    """
    from orchestrator.tracker.report.page.render import page_chunks  # noqa: PLC0415  # a library that takes its time

    put_file(stored.page, page_chunks(draft.story, draft.found))


def _draft(stored: StoredRun, run: Run, plan: Plan, exit_code: int | None) -> Draft:
    story = full_story(run, plan, exit_code=exit_code, named=named_plan(plan, stored.fleet.state, world_of(run)))
    return Draft(story, empty_content(story.head))


def _chunks(draft: Draft) -> Iterator[bytes]:
    """The report as JSON; what the page says of the targets is gathered on the way."""
    return report_chunks(structs.replace(draft.story, targets=draft.found.passing(draft.story.targets)))
