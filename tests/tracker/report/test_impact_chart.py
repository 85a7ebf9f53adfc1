"""The impact of upgrades on the page: bars by wave, with what the cloud foretold, and a table with the labels."""

import pytest
from fakes.reported import make_story
from msgspec import UNSET
from msgspec.structs import replace

from orchestrator.tracker.report.page.impact_chart import impact_chart, lasted
from orchestrator.tracker.report.page.render import report_chunks
from orchestrator.tracker.report.parts.impact_form import ImpactsReport, ImpactSumReport


def hit(
    median: float | None,
    longest: float | None,
    foretold: float | None = None,
    change: float = 0.5,
    response: float | None = None,
) -> ImpactSumReport:
    return ImpactSumReport(
        proxies=3,
        samples=75,
        seconds_below_90_percent=longest,
        longest_s_below_90_percent=longest,
        response_ms_change=change,
        service_impact_s_forecast=foretold,
        median_s_below_90_percent=median,
        longest_service_impact_s_forecast=foretold,
        response_ms_before=response,
        response_ms_after=None if response is None else response + change,
    )


def impacts(*waves: ImpactSumReport, **apps: ImpactSumReport) -> ImpactsReport:
    labels = {"app": dict(apps)} if apps else {}
    return ImpactsReport(waves={f"w{number}": wave for number, wave in enumerate(waves)}, labels=labels)


def page(found: ImpactsReport | None) -> str:
    story = make_story(3)
    head = replace(story.head, impact=UNSET if found is None else found)
    return b"".join(report_chunks(replace(story, head=head))).decode()


def test_all_waves_are_drawn_to_one_scale_with_what_was_foretold() -> None:
    drawn = impact_chart(impacts(hit(60.0, 120.0, 240.0), hit(0.0, 30.0)))
    assert drawn is not None
    assert drawn.top == 240.0
    assert [(bar.median, bar.longest, bar.foretold) for bar in drawn.bars] == [(250, 500, 998), (0, 125, None)]
    assert drawn.bars[0].words == "wave w0: 3 proxies, median 60 s, longest 120 s, foretold at most 240 s"


def test_where_nobody_was_hit_the_bars_are_empty() -> None:
    drawn = impact_chart(impacts(hit(0.0, 0.0, 0.0)))
    assert drawn is not None
    assert [(bar.median, bar.longest, bar.foretold) for bar in drawn.bars] == [(0, 0, 2)]


def test_too_few_samples_are_no_impact_of_nothing() -> None:
    drawn = impact_chart(impacts(hit(None, None)))
    assert drawn is not None
    assert drawn.bars[0].words == "wave w0: 3 proxies, too few samples"
    assert "Median: </span>-" in page(impacts(hit(None, None)))


def test_the_table_has_waves_and_labels_and_says_how_many_it_leaves_out() -> None:
    found = impacts(hit(20.0, 41.0, 6.0, change=3.0), **{f"a{number}": hit(1.0, 2.0) for number in range(120)})
    text = page(found)
    assert "<td>wave w0<td" in text
    assert "+3 ms" in text
    assert "<td>app a98<td" in text
    assert "<td>app a99<td" not in text
    assert "21 more labels are in report.json" in text


def test_response_times_are_drawn_to_one_scale_where_they_are_known() -> None:
    found = impacts(hit(1.0, 1.0, change=1.0, response=4.0), hit(1.0, 1.0, change=-0.5, response=10.0), hit(1.0, 1.0))
    drawn = impact_chart(found)
    assert drawn is not None
    assert drawn.slowest == 10.0
    assert [(bar.before, bar.after) for bar in drawn.response] == [(400, 500), (1000, 950)]
    assert drawn.response[0].words == "wave w0: 4 ms before, 5 ms after"
    assert "response in wave w1: 10 ms before, 9.5 ms after" in page(found)
    assert "How long a proxy took to answer" not in page(impacts(hit(1.0, 1.0)))


def test_a_run_that_measured_nothing_has_no_such_part() -> None:
    assert impact_chart(UNSET) is None
    assert "Impact on applications" not in page(None)


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "-"), (0.0, "0 s"), (0.18, "less than 1 s"), (1.0, "1 s"), (4000.4, "4,000 s")]
)
def test_what_lasted_less_than_a_second_lasted_all_the_same(seconds: float | None, words: str) -> None:
    assert lasted(seconds) == words
