"""What a person learns of the reasons to refuse: since when, what the refused share, what to do."""

from fakes.long_night import night_run
from fakes.recorded import BEGIN, OLD, make_plan, make_targets
from fakes.reported import make_run

from orchestrator.model.plan.target import Facts
from orchestrator.planner.next_run import NextRun
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.targets.resolve import Resolved
from orchestrator.tracker.report.rejects import refused_before, reject_reasons


def test_what_the_refused_share_is_found_in_the_labels() -> None:
    run, _plan = make_run(60, *(number for number in range(60) if number % 2 and number % 3 == 0))
    (reason,) = reject_reasons(run)
    assert reason.in_common == ["label app=a0: 10 of the 10 refused, 0 of the 50 others"]
    assert reason.first_seen is not None
    assert (reason.first_seen - BEGIN).total_seconds() == 3
    assert not reason.met_before


def test_each_reason_is_counted_by_where_its_targets_are() -> None:
    def facts(number: int) -> Facts:
        return Facts(subnet="full" if number < 12 else f"s{number % 4}", nodes=2 if number % 2 else None)

    run, _plan = make_run(60, *range(10), facts=facts)
    (reason,) = reject_reasons(run)
    assert reason.where == {
        "scope": {"default": 10},
        "source_version": {OLD: 10},
        "subnet": {"full": 10},
        "nodes": {"2": 5},
    }
    assert reason.in_common == ["subnet full: 10 of the 10 refused, 2 of the 50 others"]


def test_the_next_preview_says_why_and_what_to_do() -> None:
    run, _plan = night_run()
    words = tuple(refused_before(run))
    assert words == (
        (
            "the latest run was refused for 3 proxies: Upgrade failed due to insufficient subnet ip -> free or add "
            "addresses in the subnet of the proxy; the new nodes seem to be built beside the old ones"
        ),
    )
    targets = make_targets(3)
    coming = NextRun(targets=tuple(targets), warnings=words)
    assert make_preview(make_plan(targets), Resolved(targets, []), coming=coming).warnings == words
