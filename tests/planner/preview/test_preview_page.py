"""The preview as a page: all that the table says, in a file that loads nothing, also of a large fleet."""

import re
from datetime import timedelta

from fakes.recorded import BEGIN, make_plan, make_targets
from msgspec import structs

from orchestrator.model.plan.target import Facts, Target
from orchestrator.planner.preview.forecast_values import Range, Rehearsed, WaveTimes
from orchestrator.planner.preview.page.preview_page import ROWS, preview_chunks
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.planner.targets.resolve import Resolved

HOSTILE = "</script><script>alert(1)</script>\u202e"


def page(targets: list[Target], **changes: object) -> str:
    plan = make_plan(targets)
    preview = make_preview(plan, Resolved(targets, []))
    return b"".join(preview_chunks(structs.replace(preview, **changes), plan)).decode()


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_it_says_what_the_table_says() -> None:
    targets = make_targets(6)
    plan = make_plan(targets)
    preview: Preview = make_preview(plan, Resolved(targets, []))
    said = words(page(targets))
    lines = [line.strip() for line in table(preview) if line.strip() and "in07" not in line]
    for line in lines:
        assert words(line.rpartition(": ")[0] or line).replace(">", "&gt;") in said
    assert all(target.proxy_id in said for target in targets)
    assert plan.sha256 in said


def test_names_have_a_column_only_where_a_proxy_has_one() -> None:
    plain = make_targets(2)
    named = [structs.replace(plain[0], facts=Facts(name="orders-proxy")), plain[1]]
    assert ">Name<" not in page(plain)
    assert ">Name<" in page(named)
    assert "orders-proxy" in page(named)


def test_it_loads_and_runs_nothing() -> None:
    targets = [structs.replace(make_targets(1)[0], labels={"app": HOSTILE})]
    text = page(targets, warnings=(HOSTILE,))
    assert "<script" not in text
    assert "\u202e" not in text
    assert "default-src &#39;none&#39;; style-src" in text
    assert "script-src" not in text


def test_it_says_when_no_real_cloud_was_asked() -> None:
    targets = make_targets(1)
    plan = make_plan(targets)
    preview = make_preview(plan, Resolved(targets, []))
    assert b"SIMULATED" in b"".join(preview_chunks(preview, plan, simulated=True))
    assert "SIMULATED" not in page(targets)


def test_a_large_fleet_fits_into_three_megabytes_and_a_larger_one_is_shown_in_groups() -> None:
    text = page(make_targets(ROWS))
    assert text.count("po01<td>") == ROWS
    assert len(text.encode()) <= 3_000_000
    grouped = page(make_targets(ROWS + 1))
    assert grouped.count("po01<td>") == 21
    assert f"and {ROWS - 20:,} more" in grouped


def test_waves_of_a_forecast_are_drawn() -> None:
    times = WaveTimes(
        name="canary",
        starts_at=BEGIN,
        ends_at=BEGIN + timedelta(minutes=10),
        starts_s=Range(p5=0, p50=0, p95=0),
        ends_s=Range(p5=500, p50=600, p95=1200),
    )
    forecast = Rehearsed(
        starts_at=BEGIN,
        timezone="UTC",
        samples=200,
        learned_from=0,
        typical_s=600,
        duration_s=Range(p5=500, p50=600, p95=1200),
        ends_at=BEGIN,
        waves=(times,),
        nights=None,
        calls=Range(p5=1, p50=1, p95=1),
        peak_in_flight=1,
        phases=(),
        one_night=None,
        approves=(),
        unfinished=None,
    )
    text = page(make_targets(2), forecast=forecast)
    assert '<rect class="w-open" x="0.0" y="4" width="500.0" height="20"/>' in text
    assert '<rect class="late" x="500.0" y="10" width="500.0" height="8"/>' in text
