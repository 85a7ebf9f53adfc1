"""The preview: what a run would do, left out and why, in numbers; and its table."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fakes.no_proxy import GONE
from fakes.stage import plan_of, targets_of
from msgspec import structs

from orchestrator.errors import PlanError
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Plan, Scope
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.reply.risk import Risk
from orchestrator.model.run.eligibility import Reading
from orchestrator.planner.preview.estimate import calls_per_target, looks
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.preview.preview_values import GatePreview, ImpactForecast, Preview, SubnetPreview
from orchestrator.planner.targets.resolve import Excluded, Resolved, resolve_targets
from orchestrator.spoken import spoken

Load = Callable[..., Plan]
Ids = Callable[[int], str]
OLD = ProxyVersion(current_version="2.23.12.000", latest_version="2.24.03.000", can_upgrade=True)


@pytest.fixture
def preview(load: Load) -> Callable[..., Preview]:
    def make(text: str = "", *, proxies: int = 10, readings: dict[str, Reading] | None = None) -> Preview:
        plan = load(text, proxies=proxies)
        return make_preview(plan, resolve_targets(plan), readings)

    return make


@pytest.fixture
def mixed(preview: Callable[..., Preview], proxy_id: Ids) -> Preview:
    """Ten proxies, half of them to upgrade, each of the others for another reason not."""
    odd: list[Reading] = [
        ProxyVersion(current_version="2.24.03.000"),
        ProxyVersion(current_version="2.23.12.000", latest_version="2.23.12.000"),
        ProxyVersion(current_version="2.23.12.000", can_upgrade=False),
        GONE,
        "HTTP 500",
        ProxyVersion(current_version="2.23.09.002"),
    ]
    readings = {proxy_id(number): reading for number, reading in enumerate([*odd, OLD, OLD, OLD, OLD])}
    return preview("waves: [{name: a, size: 2}, {name: b}]", readings=readings)


def test_offline_every_target_is_taken_as_sent(preview: Callable[..., Preview]) -> None:
    found = preview("source_version: [2.23.12.000]")
    assert (found.targets, found.sends, found.versions_read, found.calls.read) == (10, 10, False, 0)
    group = found.waves[0].groups[0]
    assert (group.source_version, group.expected, group.problem) == (None, ("2.23.12.000",), None)


def test_left_out_targets_are_grouped_by_reason_and_replaced(mixed: Preview) -> None:
    assert {group.reason: len(group.targets) for group in mixed.left_out} == {
        "current": 1,
        "not_offered": 1,
        "not_upgradable": 1,
        "gone": 1,
    }
    assert [wave.sends for wave in mixed.waves] == [2, 4]
    assert (mixed.targets, mixed.sends, mixed.calls.read, mixed.calls.upgrades) == (10, 6, 10, 6)


def test_targets_of_a_wave_are_grouped_by_version(mixed: Preview) -> None:
    groups = [
        (group.source_version, group.problem, len(group.targets)) for wave in mixed.waves for group in wave.groups
    ]
    assert sum(count for version, _, count in groups if version == "2.23.12.000") == 4
    assert sum(count for version, _, count in groups if version == "2.23.09.002") == 1
    assert sum(count for version, problem, count in groups if version is None and problem == "HTTP 500") == 1


def test_it_is_json_as_it_stands(mixed: Preview) -> None:
    document = msgspec.json.decode(msgspec.json.encode(mixed))
    assert document["schema"] == "orchestrator.preview/1"
    assert sum(len(group["targets"]) for wave in document["waves"] for group in wave["groups"]) == 6
    assert document["waves"][0]["groups"][0]["targets"][0]["proxy_id"].endswith("po01")


def test_written_out_targets_have_no_window_of_their_own(preview: Callable[..., Preview]) -> None:
    with pytest.raises(PlanError, match=r"no maintenance window is known of proxy 0+po01 and 9 more"):
        preview("windows: instance")


def test_a_window_that_no_upgrade_fits_into_is_warned_of(preview: Callable[..., Preview]) -> None:
    windows = "windows: [{from: 22:00, to: 22:09, timezone: UTC}]"
    assert "no upgrade ever starts" in preview(windows).warnings[0]
    assert preview(windows + "\nfit: false").warnings == ()
    assert preview(windows.replace("22:09", "22:00")).warnings == ()


def test_what_the_arithmetic_leaves_aside_is_told(preview: Callable[..., Preview]) -> None:
    found = preview("windows: [{from: 22:00, to: 05:00, timezone: UTC}]")
    assert found.closes
    assert any("windows and freezes not counted, see --forecast" in line for line in table(found))
    assert not any("--forecast" in line for line in table(preview()))


def test_the_numbers_stand_first_and_say_when_it_starts(preview: Callable[..., Preview]) -> None:
    lines = list(table(preview()))
    assert lines[2].startswith("starts: as soon as `run` is called, at any hour, for the plan has no windows")
    first_wave = next(number for number, line in enumerate(lines) if line.startswith("wave "))
    for words in ("expected duration: ", "budgets: 0 failures and ", "in_flight: ", "calls: "):
        assert next(number for number, line in enumerate(lines) if line.startswith(words)) < first_wave
    windows = "windows: [{from: 22:00, to: 05:00, timezone: UTC}]"
    assert any(line.startswith("starts: ") and "in open windows only" in line for line in table(preview(windows)))


def test_a_state_that_says_when_it_starts_is_not_contradicted(preview: Callable[..., Preview]) -> None:
    waits = structs.replace(preview(), state=("nothing starts yet, a start waits for: window opens Mon 22:00",))
    assert not any(line.startswith("starts: ") for line in table(waits))


def test_the_table_says_it_all(mixed: Preview, proxy_id: Ids) -> None:
    text = "\n".join(table(mixed))
    assert "fleet fleet: 10 targets -> 2.24.03.000 (versions read from the cloud, but 1 could not be read)" in text
    assert "to upgrade 6, left out 4, excluded by the plan 0" in text
    assert "wave a: 2 proxies, at most 1 in flight" in text
    assert "2.23.12.000 -> 2.24.03.000: " in text
    assert "? -> 2.24.03.000 (version not read: HTTP 500): 1 proxy" in text
    assert "left out, already, runs 2.24.03.000: 1 proxy" in text
    assert "left out, skipped: gone, the cloud knows no such proxy: 1 proxy" in text
    assert "in_flight: 10 allowed, effective 1 because failures.mode is strict and the budget is 0" in text
    assert "calls: 6 upgrades, about " in text
    assert all(text.count(proxy_id(number)) == 1 for number in range(10))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "10 allowed, effective 1 because failures.mode is strict and the budget is 0"),
        ("waves: [{name: all}]", "10 allowed, effective 1 because failures.mode is strict and the budget is 0"),
        (
            "waves: [{name: a, size: 1}, {name: b, size: 5, max_failures: 1}, {name: c}]\nfailures: {max: 3}",
            "10 allowed, effective 2 because failures.mode is strict and the budget of wave b is 1",
        ),
        ("failures: {max: 9}", "10"),
        ("failures: {mode: soft}", "10"),
    ],
)
def test_what_strict_budgets_leave_of_in_flight_is_told(preview: Callable[..., Preview], text: str, line: str) -> None:
    assert f"in_flight: {line}" in list(table(preview(text, proxies=50)))


def test_budgets_of_scopes_that_bind_are_told() -> None:
    scopes = (Scope(name="default", region="cn-north-4", max_failures=Amount(0)),)
    plan = plan_of(targets_of(50), scopes=scopes, failures=Failures(max=Amount(20)))
    line = (
        "in_flight: 10 allowed, effective 1 because failures.mode is strict and the budgets of the scopes bear no more"
    )
    assert line in list(table(make_preview(plan, resolve_targets(plan))))


def _foretelling(proxy_id: Ids, *risks: Risk | None) -> dict[str, Reading]:
    return {proxy_id(number): structs.replace(OLD, risk=risk) for number, risk in enumerate(risks)}


def test_what_the_cloud_foretells_is_shown_per_target_and_as_the_sum_of_each_wave(
    preview: Callable[..., Preview], proxy_id: Ids
) -> None:
    risks = (Risk(service_impact_s=9.0), Risk(level=1), None, Risk(service_impact_s=6.0, upgrade_s=240.0))
    made = preview("waves: [{name: a, size: 1}, {name: b}]", proxies=4, readings=_foretelling(proxy_id, *risks))
    assert [wave.impact for wave in made.waves] == [
        ImpactForecast(proxies=1, service_impact_s=6.0, upgrade_s=240.0),
        ImpactForecast(proxies=1, service_impact_s=9.0, upgrade_s=None),
    ]
    lines = "\n".join(table(made))
    assert "the cloud foretells 6 s of service impact in all and upgrades of up to 4 min" in lines
    assert "the cloud foretells 9 s of service impact in all of 1 proxy" in lines
    assert f"{proxy_id(3)}  (impact 6 s, upgrade 4 min)" in lines
    assert lines.count("(impact ") == 2


@pytest.mark.parametrize(
    ("text", "lasts_s"), [("", 1200.0), ("follow: {timeout: 15m}", 900.0), ("follow: {expected: 5m}", 300.0)]
)
def test_the_cloud_says_how_long_an_upgrade_takes_unless_the_plan_does(
    preview: Callable[..., Preview], proxy_id: Ids, text: str, lasts_s: float
) -> None:
    risks = (Risk(upgrade_s=100.0), Risk(upgrade_s=1200.0), Risk(upgrade_s=1800.0))
    made = preview(f"waves: [{{name: all}}]\n{text}", proxies=3, readings=_foretelling(proxy_id, *risks))
    assert made.duration_s == pytest.approx(3 * lasts_s)  # all of them are on one instance


def test_long_lists_are_cut_where_asked(preview: Callable[..., Preview]) -> None:
    lines = list(table(preview(proxies=30), rows=3))
    assert "    … and 26 more, in --format json and in a pipe" in lines
    assert sum("po01" in line for line in lines) == 4
    assert sum("po01" in line for line in table(preview(proxies=30))) == 30


def test_excluded_targets_and_labels_are_shown(load: Load) -> None:
    plan = load("exclude: [{labels: {app: x}}]", proxies=2)
    out = Target(scope="default", instance_id="i", proxy_id="out", labels={"app": "x"})
    resolved = Resolved(resolve_targets(plan).targets, [Excluded(out, 0)])
    text = "\n".join(table(make_preview(plan, resolved)))
    assert "excluded by the plan 1" in text
    assert "left out, excluded, matches exclude[0]: 1 proxy\n    default  i  out  app=x" in text


@pytest.mark.parametrize(
    ("text", "proxies", "minutes", "limited_by"),
    [
        ("waves: [{name: a}]\nlimits: {ramp: no, rate: 100/s}\nfailures: {mode: soft}", 40, 40, "in_flight 10"),
        ("waves: [{name: a}]\nlimits: {ramp: no, rate: 100/s}", 40, 400, "in_flight 1"),
        ("limits: {rate: 100/s}\nfailures: {mode: soft}", 40, 10 + 10 * 7, "in_flight 10"),
        ("limits: {rate: 100/s, in_flight: 20}\nfailures: {mode: soft}", 11, 10 + 10 * 4, "ramp"),
        ("waves: [{name: a}]\nfailures: {mode: soft}", 1, 10, "the length of one upgrade"),
        ("waves: [{name: a, soak: 1h}]\nfailures: {mode: soft}", 1, 10, "the length of one upgrade"),
        ("waves: [{name: a, size: 1, soak: 1h}, {name: b}]\nfailures: {mode: soft}", 2, 80, "soak"),
        ("follow: {to: accepted}\nlimits: {rate: 1/min}", 30, 60, "rate"),
        ("waves: [{name: a}]\nlimits: {ramp: no, in_flight: 40, rate: 40/h}\nfailures: {mode: soft}", 40, 1020, "rate"),
    ],
)
def test_the_expected_duration(
    preview: Callable[..., Preview], text: str, proxies: int, minutes: int, limited_by: str
) -> None:
    found = preview(text, proxies=proxies)
    assert found.limited_by == limited_by
    assert found.duration_s / 60 == pytest.approx(minutes, rel=0.01)


def test_proxies_of_one_instance_go_one_after_the_other(load: Load) -> None:
    plan = load("waves: [{name: a}]\nlimits: {ramp: no, rate: 100/s}\nfailures: {mode: soft}")
    fleet = [Target(scope="default", instance_id="one", proxy_id=str(number)) for number in range(4)]
    assert make_preview(plan, Resolved(fleet, [])).limited_by == "per_instance"


def test_calls_for_one_target() -> None:
    assert calls_per_target(Follow(to="accepted")) == 2
    assert looks(Follow()) == 13
    assert calls_per_target(Follow(to="completed")) == 15
    assert calls_per_target(Follow()) == 17
    assert looks(Follow(expected_s=1, poll_s=15)) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.4, "less than 1 s"), (59, "59 s"), (90, "2 min"), (7500, "2 h 05 min"), (200_000, "2 d 7 h")],
)
def test_lengths_of_time_as_they_are_spoken(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


@pytest.mark.parametrize(
    ("keeps", "says"),
    [
        ((None, None), "as soon as `run` is called, at any hour"),
        (("all", None), "once gate g0 opens, at any hour"),
        (("all", "all"), "once gates g0 and g1 open, at any hour"),
        (
            ("some", None),
            "as soon as `run` is called, but what is selected by it not before gate g0 opens, at any hour",
        ),
    ],
)
def test_a_start_gate_that_does_not_pass_is_waited_for(
    preview: Callable[..., Preview], keeps: tuple[Any, ...], says: str
) -> None:
    gates = [GatePreview(name=f"g{n}", at=("start",), answer="error", keeps=each) for n, each in enumerate(keeps)]
    lines = list(table(structs.replace(preview(), gates=tuple(gates))))
    assert any(line.startswith(f"starts: {says}") for line in lines)


def test_what_a_subnet_needs_is_told_as_the_least_where_nobody_knows_it(preview: Callable[..., Preview]) -> None:
    short = SubnetPreview(scope="bj4", subnet_id="s", proxies=1, free=3, needed=2, at_least=True, missing=1)
    lines = list(table(structs.replace(preview(), subnets=(short,))))
    assert "at least 2 needed for an upgrade, at least 1 MISSING with reserve" in "\n".join(lines)


def test_a_subnet_is_named_that_no_upgrade_fits_into(preview: Callable[..., Preview]) -> None:
    short = SubnetPreview(scope="bj4", subnet_id="s", proxies=12, free=3, needed=4, missing=3)
    unread = SubnetPreview(scope="bj4", subnet_id="t", proxies=1, free=None, needed=2, why="HTTP 503")
    wide = SubnetPreview(scope="bj4", subnet_id="u", proxies=1, free=99, needed=2)
    lines = list(table(structs.replace(preview(), subnets=(short, unread, wide))))

    assert [line for line in lines if line.startswith("subnet ")] == [
        "subnet s of scope bj4: 3 free addresses, 4 needed for an upgrade, 3 MISSING with reserve; 12 proxies wait",
        "subnet t of scope bj4: its free addresses could not be read: HTTP 503",
    ]
