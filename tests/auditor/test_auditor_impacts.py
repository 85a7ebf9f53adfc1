"""The auditor recomputes the impact of upgrades from the samples in the journal, and finds what does not follow."""

from functools import cache
from typing import Any

import pytest
from auditor.audit import examine
from auditor.journal import Book
from fakes.eyes import Eyes
from fakes.rollouts import stage_of
from fakes.stage import later, resume
from fakes.written import written

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits


@cache
def files() -> tuple[bytes, bytes]:
    stage = stage_of(6, impact="cloud_eye", limits=Limits(in_flight=Amount(1), rate=50.0, ramp=False))
    stage.eye_of = Eyes(noise=0.1, slower=1.2, lost=lambda minute: minute % 7 == 0)
    stage.script = (later(25 * 60.0, lambda dispatcher: dispatcher.stop("enough")),)
    played = resume(stage, stage.play()).play()
    return written(played, stage.plan)


def impacts(report: Any, book: Book) -> list[str]:
    return [problem for problem in examine(report, book) if "impact" in problem]


def test_a_true_report_is_believed(report: Any, book: Book) -> None:
    assert report["impact"]["waves"]["all"]["proxies"] == 6
    assert impacts(report, book) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("impact", "waves", "all", "samples"), 1),
        (("impact", "waves", "all", "response_ms_change"), 0.0),
        (("impact", "labels", "app", "a1", "longest_s_below_90_percent"), 0.0),
        (("targets", 2, "impact", "connections_min"), 99.0),
        (("targets", 2, "impact", "seconds_below_90_percent"), 0.0),
        (("targets", 2, "impact", "missing"), "a while"),
    ],
)
def test_what_the_samples_do_not_say_is_found(report: Any, book: Book, path: tuple[Any, ...], value: Any) -> None:
    inside = report
    for key in path[:-1]:
        inside = inside[key]
    assert inside[path[-1]] != value
    inside[path[-1]] = value
    assert impacts(report, book) != []


def test_no_number_of_any_sum_is_believed_without_samples(report: Any, book: Book) -> None:
    """One more, or one where nothing is known: each number of each wave, label and target follows from samples."""
    told = report["impact"]
    parts = [*told["waves"].values(), *(each for values in told["labels"].values() for each in values.values())]
    parts += [target["impact"] for target in report["targets"]]
    assert len(parts) >= 1 + 2 + 6
    for part in parts:
        for key, value in list(part.items()):
            part[key] = "a while" if isinstance(value, str) else (value or 0) + 1
            assert impacts(report, book) != [], key
            part[key] = value
    assert impacts(report, book) == []


def test_an_impact_without_samples_is_found(report: Any, book: Book) -> None:
    del report["impact"]
    assert impacts(report, book) != []
