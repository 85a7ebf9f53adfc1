"""The audit: plan, history and reality, put side by side."""

from fakes.no_proxy import GONE

from orchestrator.model.learned.history import History, Known
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.run.eligibility import Reading
from orchestrator.planner.preview.audit import Audit, Scheduled, Schedules, audit, behind
from orchestrator.planner.preview.audit_text import audit_lines

OLD, NEW, NEWER = "2.23.12.000", "2.24.03.000", "2.24.06.000"
NAMES = ("ours", "others", "back", "rejected", "waiting", "fresh", "fresh_new", "deleted", "unread", "dropped", "left")
TARGETS = {
    name: Target(scope="s", instance_id=f"{at:032x}in07", proxy_id=f"{at:032x}po01", facts=Facts(name=name))
    for at, name in enumerate(NAMES)
}


def known(*told: tuple[Outcome, str, str]) -> Known:
    made = Known(outcome=told[0][0], run_id=told[0][1])
    for outcome, run_id, version in told:
        made.take(outcome, run_id, version, read=outcome is Outcome.SUCCEEDED)
    return made


KNOWN = {
    "ours": known((Outcome.SUCCEEDED, "R1", NEW), (Outcome.ALREADY, "R2", NEW)),
    "others": known((Outcome.REJECTED, "R2", NEW)),
    "back": known((Outcome.SUCCEEDED, "R1", NEW)),
    "rejected": known((Outcome.REJECTED, "R2", NEW)),
    "unread": known((Outcome.SUCCEEDED, "R2", NEW)),
    "dropped": known((Outcome.SUCCEEDED, "R2", NEW)),
    "left": known((Outcome.SUCCEEDED, "R2", NEW)),
    "deleted": known((Outcome.SUCCEEDED, "R2", NEW)),
}
VERSIONS: dict[str, Reading] = {
    "ours": ProxyVersion(current_version=NEWER),
    "others": ProxyVersion(current_version=NEW),
    "back": ProxyVersion(current_version=OLD),
    "rejected": ProxyVersion(current_version=OLD),
    "waiting": ProxyVersion(current_version=OLD),
    "fresh": ProxyVersion(current_version=OLD),
    "fresh_new": ProxyVersion(current_version=NEW),
    "deleted": GONE,
    "unread": "HTTP 500",
}


def held(*names: str, schedules: Schedules | None = None) -> Audit:
    """The audit of a plan with these targets; `left` is excluded, and the last run had all but the fresh ones."""
    history = History(
        run_id="R2",
        target_version=NEW,
        targets=tuple(target for name, target in TARGETS.items() if not name.startswith("fresh")),
        pending={TARGETS["waiting"].proxy_id: "waiting"},
        known={TARGETS[name].proxy_id: each for name, each in KNOWN.items()},
    )
    readings = {TARGETS[name].proxy_id: reading for name, reading in VERSIONS.items()}
    targets = [TARGETS[name] for name in names]
    excluded = {TARGETS["left"].proxy_id}
    return audit(NEW, targets, excluded, history, readings, schedules or Schedules())


def found(made: Audit) -> dict[str, tuple[str, bool]]:
    """By name of the instance: what was found, and whether it is well."""
    return {
        target.facts.name: (finding.what, finding.well)
        for finding in made.findings
        for target in finding.targets
        if target.facts and target.facts.name
    }


def test_every_target_is_told_once_and_rightly() -> None:
    made = held(*(name for name in NAMES if name not in ("dropped", "left")))
    assert found(made) == {
        "ours": ("done_by_us", True),
        "others": ("done_by_others", True),
        "back": ("gone_back", False),
        "rejected": ("not_done", False),
        "waiting": ("pending", True),
        "fresh": ("new", False),
        "fresh_new": ("new", True),
        "deleted": ("missing", False),
        "unread": ("not_read", False),
        "dropped": ("missing", False),
    }
    assert not made.well
    assert [finding.what for finding in made.findings][:2] == ["gone_back", "missing"], "what needs somebody is first"


def test_what_the_unfinished_run_has_not_settled_is_known_to_it_whatever_it_runs() -> None:
    pending = {TARGETS[name].proxy_id: stands for name, stands in (("fresh", "in_flight"), ("fresh_new", "waiting"))}
    pending[TARGETS["others"].proxy_id] = "in_flight"
    known_before = {TARGETS["others"].proxy_id: KNOWN["others"]}
    history = History(run_id="R3", target_version=NEW, targets=(), pending=pending, known=known_before)
    readings: dict[str, Reading] = {key: ProxyVersion(current_version=NEW) for key in pending}
    targets = [TARGETS[name] for name in ("fresh", "fresh_new", "others")]
    made = audit(NEW, targets, (), history, readings, Schedules())
    assert {(each.what, each.why, each.well, len(each.targets)) for each in made.findings} == {
        ("pending", f"runs {NEW} already, and is in_flight in run R3", True, 2),
        ("pending", f"runs {NEW} already, and is waiting in run R3", True, 1),
    }


def test_what_only_a_person_moves_is_not_well_before_it_runs_the_version() -> None:
    stuck, moves = TARGETS["waiting"].proxy_id, TARGETS["ours"].proxy_id
    pending = {stuck: "timed_out", moves: "timed_out"}
    history = History(
        run_id="R3", target_version=NEW, targets=(), pending=pending, known={}, stuck=frozenset((stuck, moves))
    )
    readings: dict[str, Reading] = {
        stuck: ProxyVersion(current_version=OLD),
        moves: ProxyVersion(current_version=NEW),
    }
    made = audit(NEW, [TARGETS["waiting"], TARGETS["ours"]], (), history, readings, Schedules())
    assert found(made) == {"waiting": ("pending", False), "ours": ("pending", True)}
    assert not made.well


def test_all_is_well() -> None:
    history = History(run_id="R2", target_version=NEW, targets=(TARGETS["ours"],), pending={}, known={})
    readings: dict[str, Reading] = {TARGETS["ours"].proxy_id: ProxyVersion(current_version=NEW)}
    made = audit(NEW, [TARGETS["ours"]], (), history, readings, Schedules())
    assert made.well
    assert next(iter(audit_lines(made))).endswith("all is well")


def test_who_upgraded_it_is_remembered_beyond_the_last_run() -> None:
    why = next(finding.why for finding in held("ours").findings if finding.what == "done_by_us")
    assert why == f"runs {NEWER}, upgraded in run R1"


def test_an_older_version_of_an_earlier_rollout_is_no_step_back() -> None:
    then = known((Outcome.SUCCEEDED, "R0", OLD), (Outcome.FAILED, "R1", NEW))
    history = History(run_id="R1", target_version=NEW, targets=(), pending={}, known={TARGETS["ours"].proxy_id: then})
    readings: dict[str, Reading] = {TARGETS["ours"].proxy_id: ProxyVersion(current_version=OLD)}
    made = audit(NEW, [TARGETS["ours"]], (), history, readings, Schedules())
    assert [(finding.what, finding.why) for finding in made.findings] == [("not_done", f"runs {OLD}; failed in run R1")]


def test_scheduled_upgrades_are_asked_for_where_they_matter() -> None:
    readings = {TARGETS[name].proxy_id: reading for name, reading in VERSIONS.items()}
    late = behind(NEW, list(TARGETS.values()), readings)
    assert [target.facts.name for target in late if target.facts] == ["back", "rejected", "waiting", "fresh"]


def test_the_text_names_what_needs_somebody_and_counts_the_rest() -> None:
    scheduled = Scheduled(target=TARGETS["fresh"], status="WAITING", starts_at="2026-03-01 18:00Z")
    made = held(*NAMES[:-2], schedules=Schedules(scheduled=[scheduled], not_asked="proxy x: HTTP 403"))
    text = "\n".join(audit_lines(made))
    assert f"audit since run R2, target version {NEW}: not as it should be" in text
    assert f"  gone back, runs {OLD}, and has run {NEW}: 1 proxy" in text
    assert TARGETS["back"].proxy_id in text
    assert "  done by others" in text
    assert TARGETS["others"].proxy_id not in text
    assert "scheduled in the console: 1 proxy" in text
    assert "from 2026-03-01 18:00Z  WAITING" in text
    assert "not known of all: proxy x: HTTP 403" in text


def test_long_lists_are_cut_on_request() -> None:
    lines = list(audit_lines(held("rejected", "fresh"), rows=1))
    assert any("more" in line for line in lines)
