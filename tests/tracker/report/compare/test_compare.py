"""Two runs compared: what both saw, what only one had, and nothing that one of them did not see."""

import json
from collections.abc import Mapping
from datetime import timedelta

import msgspec
from fakes.recorded import BEGIN, NEW
from fakes.reported import make_story
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.model.record.outcome import FAILED_BEFORE
from orchestrator.tracker.report.compare.compare import KINDS, compare, kind_of, listed
from orchestrator.tracker.report.compare.comparison_forms import COMPARISON_FORMS, comparison_in_form
from orchestrator.tracker.report.compare.comparison_schema import CallsThen, Comparison, Said, comparison_schema
from orchestrator.tracker.report.compare.comparison_text import comparison_lines
from orchestrator.tracker.report.compare.comparison_words import verdict
from orchestrator.tracker.report.compare.witness import Witness, witness_of
from orchestrator.tracker.report.schema import RejectReason

WHOLE = witness_of(make_story(1), frozenset())
ENDS = ("succeeded", "already", "rejected", "failed", "skipped")
NO_ENDS = ("waiting", "in_flight", "in_doubt", "timed_out", "not_started")


def saw(
    said: Mapping[str, str | Said], *, kept: tuple[str, ...] = (), names: Mapping[str, str] | None = None
) -> Witness:
    """A run that says this, in this order."""
    told = {key: Said(outcome=each) if isinstance(each, str) else each for key, each in said.items()}
    outcomes = dict.fromkeys((each.outcome for each in told.values()), 1)
    side = replace(WHOLE.side, targets=len(told) + len(kept), kept=len(kept), outcomes=outcomes)
    return replace(WHOLE, said=told, kept=kept, side=side, names=names or {})


def text(comparison: Comparison) -> str:
    return "\n".join(comparison_lines(comparison, "night.yaml"))


def reject(reason: str, *proxy_ids: str, signature: str = "") -> RejectReason:
    return RejectReason(
        reason=reason,
        signature=signature or reason,
        reasons=[reason],
        error_code=None,
        count=len(proxy_ids),
        proxy_ids=list(proxy_ids),
    )


def test_each_proxy_is_counted_by_what_both_runs_saw() -> None:
    earlier = saw({"a": "succeeded", "b": "failed", "c": "rejected", "d": "failed", "e": "waiting", "gone": "failed"})
    later = saw({"a": "failed", "b": "succeeded", "c": "rejected", "d": "already", "e": "succeeded", "new": "rejected"})
    found = compare(earlier, later)
    assert [(each.kind, each.earlier, each.later, each.proxies) for each in found.steps] == [
        ("well_before", "succeeded", "failed", 1),
        ("well_in_neither", "rejected", "rejected", 1),
        ("not_ended", "waiting", "succeeded", 1),
        ("well_now", "failed", "already", 1),
        ("well_now", "failed", "succeeded", 1),
    ]
    assert (found.only_later.proxy_ids, found.only_earlier.proxy_ids) == (["new"], ["gone"])
    assert (found.only_later.outcomes, found.only_earlier.outcomes) == ({"rejected": 1}, {"failed": 1})
    assert verdict(found) == (
        "Better for 2, worse for 1: of 5 proxies in both runs, "
        "1 ended well before and not now, 1 ended well in neither, "
        "1 without an end in one of them, 2 ended well now and not before; 1 only the later run had; "
        "1 only the earlier run had."
    )


def test_the_first_word_says_whether_it_is_better_or_worse() -> None:
    good, bad = saw({"a": "succeeded"}), saw({"a": "failed"})
    assert verdict(compare(bad, good)).startswith("Better: of 1 proxy")
    assert verdict(compare(good, bad)).startswith("Worse: of 1 proxy")
    assert verdict(compare(bad, bad)).startswith("Neither better nor worse: of 1 proxy")


def test_why_it_is_better_or_worse_is_counted_by_what_the_reasons_share() -> None:
    broken = {key: Said(outcome="failed", reason=f"job {number} Failed: no room") for number, key in enumerate("abc")}
    worse = text(compare(saw(dict.fromkeys("abc", "succeeded")), saw(broken)))
    assert "  3 x job # Failed: no room" in worse
    better = text(compare(saw(broken), saw(dict.fromkeys("abc", "succeeded"))))
    assert "  3 x job # Failed: no room" in better
    assert "The run of 2026-03-01 22:00Z (" in better.splitlines()[1]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(*[st.sampled_from((None, *ENDS, *NO_ENDS))] * 2)))
def test_the_counts_add_up_and_every_proxy_stands_in_one_place(drawn: dict[str, tuple[str | None, str | None]]) -> None:
    earlier = saw({key: before for key, (before, _now) in drawn.items() if before})
    later = saw({key: now for key, (_before, now) in drawn.items() if now})
    found = compare(earlier, later)
    met = sum(before is not None and now is not None for before, now in drawn.values())
    assert found.both == sum(each.proxies for each in found.steps) == met
    well = sum(each.proxies for each in found.steps if each.kind == "well_in_both")
    assert len(found.changes) == met - well
    assert met + len(found.only_later.proxy_ids) + len(found.only_earlier.proxy_ids) == len(
        {*earlier.said, *later.said}
    )


def test_an_end_that_one_run_did_not_see_is_never_better_or_worse() -> None:
    for unseen in (*(Said(outcome=name) for name in NO_ENDS), Said(outcome="skipped", reason=FAILED_BEFORE)):
        for end in ENDS:
            assert kind_of(unseen, Said(outcome=end)) == kind_of(Said(outcome=end), unseen) == "not_ended"


def test_what_a_run_only_keeps_from_one_before_it_is_left_aside() -> None:
    found = compare(saw({"a": "succeeded", "b": "failed"}), saw({"b": "succeeded"}, kept=("a", "elsewhere")))
    assert (found.both, [each.proxy_id for each in found.changes]) == (1, ["b"])
    assert found.only_earlier.proxy_ids == found.only_later.proxy_ids == []
    assert any("1 proxy in both is left aside" in caution for caution in found.cautions)


def test_what_limits_the_comparison_is_said_first() -> None:
    other = replace(WHOLE.side, target_version="2.25.01.000", simulated=True, state="held")
    lines = text(compare(WHOLE, replace(WHOLE, side=other))).splitlines()
    assert [line.partition(":")[0] for line in lines[2:6]] == ["CAUTION"] * 4
    assert NEW in lines[2]
    assert "simulated" in lines[3]
    assert "earlier run is unfinished" in lines[4]
    assert "later run is held" in lines[5]
    changed = compare(WHOLE, replace(WHOLE, side=replace(WHOLE.side, plan_sha256="1" * 64)))
    assert "The plan file was changed between the runs." in changed.cautions


def test_reasons_are_the_same_by_what_their_texts_share() -> None:
    before = replace(WHOLE, rejects=[reject("needed 4", "a", "b", signature="needed #"), reject("abnormal", "c")])
    now = replace(WHOLE, rejects=[reject("needed 7", "a", signature="needed #"), reject("no version", "d")])
    found = compare(before, now)
    assert [(each.seen, each.reason, each.earlier, each.later) for each in found.rejects] == [
        ("new", "no version", 0, 1),
        ("gone", "abnormal", 1, 0),
        ("both", "needed 7", 2, 1),
    ]
    assert "1 -> 0  not met again: abnormal" in text(found)


def test_scopes_of_one_run_only_are_not_compared_with_nothing() -> None:
    made = CallsThen(calls=10, throttled=2, rate_attained=None)
    found = compare(replace(WHOLE, scopes={"south": made}), replace(WHOLE, scopes={"north": made}))
    assert [(each.name, each.earlier, each.later) for each in found.scopes] == [
        ("north", None, made),
        ("south", made, None),
    ]
    assert "north: not in that run -> 10, 2 throttled" in text(found)


def test_a_report_says_what_the_run_did_itself() -> None:
    story = make_story(4, 1)
    story = replace(story, head=replace(story.head, run=replace(story.head.run, ended_at=BEGIN + timedelta(hours=2))))
    seen = witness_of(story, frozenset({f"{3:032x}po01"}))
    assert (seen.side.kept, seen.side.asked, seen.side.outcomes) == (1, 3, {"succeeded": 2, "rejected": 1})
    assert seen.side.lengths is not None
    assert (seen.side.lengths.upgrades, seen.side.lengths.median, seen.side.lengths.most) == (2, 602.0, 602.0)
    assert "lasted" in text(compare(seen, seen))


def test_no_change_is_said_in_one_sentence_and_no_common_proxy_too() -> None:
    same = saw({"a": "succeeded"})
    assert verdict(compare(same, same)) == "No change: 1 proxy, and each ended well in both runs."
    assert verdict(compare(same, saw({"b": "failed"}))) == "The runs looked at no proxy in common."


def test_those_that_waited_are_counted_and_not_listed() -> None:
    found = compare(saw({"a": "failed", "b": "failed"}), saw({"a": "waiting", "b": "in_doubt"}))
    assert [[each.proxy_id for each in changes] for _kind, _steps, changes in listed(found)] == [["b"]]
    assert "1  failed -> waiting" in text(found)


def test_every_form_says_it_and_no_word_of_the_cloud_is_markup() -> None:
    hostile = Said(outcome="rejected", reason="</script><img src=//evil.example onerror=alert(1)>")
    found = compare(saw({"a": "succeeded"}), saw({"a": hostile}, names={"a": "<b>db</b>"}))
    made = {form: b"".join(comparison_in_form(form, found, "night.yaml")).decode() for form in COMPARISON_FORMS}
    assert msgspec.json.decode(made["json"], type=Comparison) == found
    assert set(json.loads(made["json"])) == set(comparison_schema()["$defs"]["Comparison"]["properties"])
    assert "<img" not in made["html"]
    assert "<b>db" not in made["html"]
    assert "<script" not in made["html"]
    assert "orchestrator report night.yaml --run 20260301T220000000Z-abcdef" in made["text"]
    assert "<span>--run</span> <span>20260301T220000000Z-abcdef</span>" in made["html"]


def test_kinds_are_told_from_worse_to_better() -> None:
    assert KINDS[0] == "well_before"
    assert KINDS[-1] == "well_in_both"
