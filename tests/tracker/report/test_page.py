"""The report as a page: what it says, that it cannot load anything, and how large it grows."""

import json
import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html import unescape

from fakes.doubtful import LATE, LEFT, LOOKED_FOR, doubtful_story
from fakes.long_night import TIMED_OUT, night_plan, night_story
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, empty_run, make_targets, run_started
from fakes.reported import HOSTILE, make_run, make_story
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.plan.target import Facts
from orchestrator.model.record.record import LimitsChanged, SessionStarted
from orchestrator.model.run.night import CallsMade
from orchestrator.page.outcomes import parts
from orchestrator.plain import plain
from orchestrator.tracker.report.build import Story, build_report
from orchestrator.tracker.report.page import unfolded
from orchestrator.tracker.report.page.charts import area, calls_chart, histogram, in_flight, in_flight_chart
from orchestrator.tracker.report.page.content import ROWS, Content, content_of, is_told, urgency
from orchestrator.tracker.report.page.drawing import Axis, ticks
from orchestrator.tracker.report.page.render import _details, report_chunks
from orchestrator.tracker.report.page.sentences import remedy, remedy_of_refusal, strict_words
from orchestrator.tracker.report.parts.upgrade import JobReport

OUTCOMES = ("in_flight", "rejected", "waiting", "failed", "succeeded", "timed_out")


def page(story: Story) -> str:
    return b"".join(report_chunks(story)).decode()


def typed(text: str) -> list[str]:
    """The commands, as they are copied."""
    found = re.findall(r'<code class="command">(.*?)</code>', text)
    return [unescape(re.sub(r"</?span>", "", each)).strip() for each in found]


def test_the_verdict_and_the_command_stand_first() -> None:
    text = page(make_story(6, 2))
    assert "of 6 proxies, 5 seen at 2.24.03.000; the others: 1 rejected." in text
    assert typed(text) == ["orchestrator run night.yaml --only-outcome rejected"]
    order = [
        text.index(f'id="h-{name}"') for name in ("person", "time", "flight", "outcomes", "targets", "plan", "from")
    ]
    assert text.index('id="verdict"') < order[0]
    assert order == sorted(order)


def test_those_that_a_redo_did_not_ask_for_have_a_command_of_their_own() -> None:
    story = make_story(6, 2)
    totals = replace(story.head.totals, outcomes={"succeeded": 2, "rejected": 1, "not_started": 3})
    text = page(replace(story, head=replace(story.head, totals=totals)))
    assert "Next, for 3 others, which a run takes by itself:" in text
    assert typed(text) == ["orchestrator run night.yaml --only-outcome rejected", "orchestrator run night.yaml"]


def test_a_hold_is_there_with_its_release() -> None:
    text = page(make_story(3, 0, hold=True))
    assert "Held, 1 rejected, 0 allowed for the fleet: of 3 proxies, 2 seen at" in text
    assert typed(text) == [
        'orchestrator release night.yaml --note "why" && orchestrator run night.yaml',
        "orchestrator run night.yaml --only-outcome rejected",
    ]


def test_what_ended_badly_beside_the_causes_of_a_hold_is_told_as_the_terminal_tells_it() -> None:
    story = replace(make_story(3, 0, hold=True), beside_causes=["1 proxy ended as before: in no budget"])
    assert "<p>1 proxy ended as before: in no budget." in page(story)


def test_a_held_fleet_whose_run_has_ended_begins_again_with_what_failed_and_with_no_empty_run() -> None:
    story = make_story(3, 0, hold=True)
    run = replace(story.head.run, ended_at=BEGIN)
    [command] = typed(page(replace(story, head=replace(story.head, run=run))))
    assert command.endswith('--note "why" && orchestrator run night.yaml --only-outcome rejected')


def test_what_is_most_urgent_stands_first_however_many_there_are() -> None:
    story = night_story(60)
    urgent = [
        replace(target, outcome=outcome, needs_person=outcome == "timed_out")
        for target, outcome in zip(story.targets, OUTCOMES, strict=False)
    ]
    found = content_of([target for target in urgent for _ in range(30)], story.head)
    assert [target.outcome for target in found.bad] == ["timed_out"] * 20
    few = content_of(urgent, story.head)
    assert [target.outcome for target in few.bad] == ["timed_out", "failed", "rejected"]
    assert [target.outcome for target in few.moving] == ["in_flight"]
    rows = sorted(few.rows, key=urgency)
    assert [row.outcome for row in rows] == ["timed_out", "failed", "rejected", "in_flight", "waiting", "succeeded"]


def test_who_is_still_looked_for_is_no_work_for_a_person() -> None:
    text = page(doubtful_story())
    yours, theirs = text.split("<h3>The next session decides</h3>")
    yours = yours.partition("<h3>You decide</h3>")[2]
    assert f"#{LEFT}" in yours
    assert f"#{LOOKED_FOR}" not in yours
    assert f"#{LOOKED_FOR}" in theirs.partition("</section>")[0]
    assert "settle" not in theirs.partition("</section>")[0]
    assert "2 in doubt (1 still looked for), 1 timed out" in text


def test_not_sent_is_offered_only_where_no_workflow_id_came() -> None:
    words = {target.proxy_id: remedy(target) for target in doubtful_story().targets if target.needs_person}
    assert words[LATE] == "look at it in the console, then settle it as succeeded or failed:"
    assert "not_sent where the console shows no job" in words[LEFT]


def test_a_page_says_as_of_when_it_is_and_who_was_at_work() -> None:
    story = night_story(30)
    assert "As of 2026-03-02 01:20:00Z, when session 2 ended with exit code 6." in page(story)
    going = replace(story, head=replace(story.head, run=replace(story.head.run, exit_code=None)), targets=iter(()))
    text = page(going)
    assert "As of 2026-03-02 01:20:00Z: session 2 was at work, or was killed before it wrote this again." in text
    assert typed(text) == ["orchestrator status /etc/orchestrator/night.yaml --state /var/lib/orch"]


def test_a_wave_that_is_open_does_not_look_as_if_all_of_it_had_been_drawn() -> None:
    story = make_story(6, 2)
    [first, *_] = story.head.waves
    for state, told in (("open", True), ("done", False)):
        head = replace(story.head, waves=[replace(first, state=state)])
        text = page(replace(story, head=head, targets=iter(())))
        assert (f"wave {first.name}, those drawn so far: " in text) is told
        assert (f"{first.targets} so far" in text) is told


def test_an_attempt_that_was_turned_away_has_no_slot_and_one_in_doubt_keeps_it() -> None:
    ends = dict(content_of(doubtful_story().targets, night_story(3).head).spans)
    turned_away, waits = BEGIN + timedelta(minutes=3), BEGIN + timedelta(minutes=5)
    assert ends.pop(turned_away) == turned_away + timedelta(milliseconds=250)
    assert ends.pop(waits) == waits + timedelta(milliseconds=250)
    assert set(ends.values()) == {None}, "open, as the limit counts it, also past its period"


def test_the_past_is_not_painted_with_the_hold_of_today_and_doubt_has_its_mark() -> None:
    text = page(doubtful_story(hold=True))
    assert 'class="w-held"' not in text
    assert re.search(r'class="mark"[^>]*>\?<', text)
    assert re.search(r'class="mark" x="992.0"[^>]*>◷<', text), "the latest one is seen whole"
    assert text.count("⚑ caused the hold") == 4


def test_a_setting_that_a_session_changed_is_not_shown_as_the_plans() -> None:
    plan, targets = night_plan(3), make_targets(3)
    run = empty_run(plan, targets)
    session = SessionStarted(at=BEGIN, number=2, pid=7, host="h", orchestrator_version="0")
    run.apply(run_started(3))
    run.apply(replace(session, changed={"failures.max": "2 -> 0", "retry.attempts": "5 -> 3"}))
    text = page(build_report(run, plan))
    assert re.search(r"<dt>failures.max<dd>[^<]* \(changed: 2 -&gt; 0, session 2\)", text)
    assert "<dt>retry.attempts<dd>changed: 5 -&gt; 3, session 2" in text


def test_who_put_what_in_the_place_of_what_the_plan_says_stands_beside_it() -> None:
    plan, targets = night_plan(3), make_targets(3)
    run = empty_run(plan, targets)
    begun = SessionStarted(at=BEGIN, number=1, pid=7, host="h", orchestrator_version="0", user="ana")
    change = LimitChange(in_flight=Amount(4))
    run.apply(run_started(3))
    run.apply(replace(begun, set={"limits.in_flight": "8 -> 2", "retry.attempts": "5 -> 3"}))
    run.apply(LimitsChanged(at=BEGIN, limits=change, by="bob", host="desk", note="calm"))
    text = page(build_report(run, plan))
    told = "set by ana@h for session 1; the plan file says 8; 4 in its place, by bob@desk at 2026-03-01 22:00:00Z: calm"
    assert re.search(rf"<dt>limits.in_flight<dd>[^<]* \({told}\)", text)
    assert "<dt>retry.attempts<dd>set by ana@h for session 1; the plan file says 5" in text


def test_a_story_says_when_the_job_ended_and_who_settled_it() -> None:
    target = next(iter(make_story(1).targets))
    job = JobReport(status="Failed", ended_at=BEGIN, fail_reason="no node")
    told = unfolded.story_lines(replace(target, job=job, settled_by="ana", settled_host="ops-1"))
    assert "job Failed, ended 2026-03-01 22:00:00Z: no node" in told
    (early,) = (
        line
        for line in unfolded.story_lines(replace(target, job=replace(job, ended_at=BEGIN - timedelta(hours=1))))
        if "job" in line
    )
    assert early.startswith("job Failed, ended 2026-03-01 21:00:00Z: no node; by the cloud's clock it ended before the")
    assert "2026-03-01 22:10:00Z succeeded, settled by ana@ops-1" in told
    assert told[0].startswith("attempt 1 at 2026-03-01 22:00:00Z: HTTP 200")
    late = next(target for target in doubtful_story().targets if target.proxy_id == LATE)
    assert "2026-03-01 22:30:00Z left to a person, timed out" in unfolded.story_lines(late)


def test_what_kept_upgrades_from_starting_is_drawn_and_stands_in_a_table() -> None:
    text = page(night_story(30))
    for kind in ("held", "throttled", "paused", "window closed"):
        assert f'class="shade k-{kind.replace(" ", "_")}"' in text
        assert re.search(rf"<td>{kind}<td>", text)
    assert "2 rejected, 1 allowed for the fleet" in text
    assert text.count('class="limit"') == 2


def test_who_only_a_person_can_settle_comes_with_the_whole_command() -> None:
    stuck = next(target.proxy_id for number, target in enumerate(make_targets(40)) if number == TIMED_OUT)
    whole = re.sub("</?span>", "", page(night_story(40)))
    assert f"settle /etc/orchestrator/night.yaml --state /var/lib/orch {stuck} --outcome OUTCOME" in whole


def test_no_command_is_broken_within_a_word() -> None:
    codes = re.findall(r"<code[^>]*>(.*?)</code>", page(night_story(40)))
    assert len(codes) > 3
    assert all(" " not in word for code in codes for word in re.findall(r"<span>(.*?)</span>", code))
    assert all(re.sub(r"<span>.*?</span>", "", code).strip() == "" for code in codes)


def test_no_command_is_anything_else_to_a_shell() -> None:
    commands = typed(page(night_story(40)))
    assert commands
    for command in commands:
        assert not set(command.replace("&&", "")) & set("|&<>`$"), command


def test_nothing_but_its_own_style_and_script_is_allowed() -> None:
    text = page(make_story(6, 2))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inner is not None
        assert f"{tag}-src 'sha256-{b64encode(sha256(inner[1].encode()).digest()).decode()}'" in allowed


def test_words_of_the_cloud_are_text_and_nothing_else() -> None:
    text = page(make_story(6, 2))
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>") == 2
    assert "<img" not in text
    assert "\u202e" not in text


def test_what_unfolds_later_cannot_end_its_element() -> None:
    """It is data of the page, read by its own script; a tag in it would be one of the page."""
    quiet = next(each for each in make_story(6).targets if not is_told(each))
    data = _details([replace(quiet, evidence=[HOSTILE])])
    assert "<" not in data
    (lines,) = json.loads(data)["rows"]
    assert f"found: {plain(HOSTILE)}" in lines


def test_five_thousand_proxies_fit_into_three_megabytes() -> None:
    text = b"".join(report_chunks(make_story(ROWS, *range(0, ROWS, 50))))
    assert len(text) <= 3_000_000
    assert text.count(b"<tr id=") == ROWS


def test_names_and_tags_fit_in_as_well() -> None:
    run = make_run(ROWS, *range(0, ROWS, 50), facts=_facts)
    assert len(b"".join(report_chunks(build_report(*run)))) <= 3_000_000


def _facts(number: int) -> Facts:
    tags = {"team": f"orders-{number % 40}", "env": "prod"}
    return Facts(name=f"orders-{number:05}", proxy_name=f"proxy-{number:05}", tags=tags, subnet="s" * 36, nodes=2)


def test_of_more_proxies_those_that_did_not_end_well_have_a_row() -> None:
    last = ROWS + 99
    story = make_story(ROWS + 100, last)
    found = content_of(story.targets, story.head)
    assert len(found.rows) == ROWS
    assert found.left_out == 100
    assert found.rows[-1].proxy_id == make_targets(ROWS + 100)[last].proxy_id


def test_every_plausible_run_has_a_page() -> None:
    for seed in range(30):
        live = PlausibleRun(seed, count=6).steps(seed * 4)
        text = page(build_report(live.run, live.plan))
        assert text.endswith("</html>")
        assert all(f'<tr id="{target.proxy_id}">' in text for target in live.targets)


def test_in_flight_is_the_most_at_once_in_each_part_of_the_time() -> None:
    def at(seconds: int) -> timedelta:
        return timedelta(seconds=seconds)

    spans = [(BEGIN, BEGIN + at(60)), (BEGIN + at(30), BEGIN + at(60)), (BEGIN + at(90), None)]
    heights = in_flight(Content(spans=spans), Axis(BEGIN, BEGIN + at(120)))
    assert (heights[0], heights[70], heights[130], heights[200]) == (1, 2, 0, 1)
    assert area([0, 2], 2) == "0,120 0.0,120 500.0,120 500.0,0 1000.0,0 1000,120"


def test_what_was_allowed_is_a_line_unless_it_is_far_above() -> None:
    found, span = Content(spans=[(BEGIN, None)]), Axis(BEGIN, BEGIN + timedelta(hours=1))
    near, far = in_flight_chart(found, span, 4), in_flight_chart(found, span, 400)
    assert near.limit.startswith("M0.0,5.7h1000")
    assert far.limit == ""
    assert [(height, allowed) for _at, height, allowed in far.rows] == [(1, 400)] * 24


def test_the_table_of_calls_says_what_allowed_means() -> None:
    """Three calls in one second of 2/s keep to it: they are two gaps."""
    assert "N calls have N - 1 gaps" in page(make_story(3))


def test_the_line_of_what_was_allowed_moves_when_a_person_moves_it() -> None:
    found, span = Content(spans=[(BEGIN, None)]), Axis(BEGIN, BEGIN + timedelta(hours=1))
    drawn = in_flight_chart(found, span, 2, [(BEGIN, 8), (BEGIN + timedelta(minutes=30), 4)])
    assert re.fullmatch(r"M0\.0,5\.7h500\.0 V62\.9h500\.0", drawn.limit)
    assert (drawn.least, drawn.allowed) == (4, 8)
    assert [allowed for _at, _height, allowed in drawn.rows] == [8] * 12 + [4] * 12
    made = [
        CallsMade(BEGIN + timedelta(minutes=m), BEGIN + timedelta(minutes=m + 30), 1800, 0, r)
        for m, r in ((0, 2), (30, 1))
    ]
    assert calls_chart(made, span).limit.count("h") == 2
    assert "allowed: 4 to 8, the dashed line" in page(
        replace(make_story(3), allowed=((BEGIN, 8), (BEGIN + timedelta(minutes=30), 4)))
    )


def test_calls_per_second_are_those_of_the_time_in_which_they_were_made() -> None:
    made = [CallsMade(BEGIN, BEGIN + timedelta(minutes=30), 3600, 0, 2.5)]
    drawn = calls_chart(made, Axis(BEGIN, BEGIN + timedelta(hours=1)))
    assert [round(height, 2) for _at, height, _allowed in drawn.rows] == [2.0] * 13 + [0.0] * 11
    assert [allowed for _at, _height, allowed in drawn.rows].count(2.5) == 12


def test_a_call_more_than_gaps_is_no_breach_of_the_rate_and_two_more_are() -> None:
    def most(calls: int) -> float:
        made = [CallsMade(BEGIN, BEGIN + timedelta(seconds=100), calls, 0, 2.0)]
        return calls_chart(made, Axis(BEGIN, BEGIN + timedelta(hours=1))).most

    assert [most(199), most(201), most(202)] == [1.99, 2.0, 2.02]


def test_strict_budgets_say_what_they_leave_of_in_flight() -> None:
    story = replace(make_story(3), in_flight=10, failures_allowed=0, rejected_allowed=4)
    strict, soft = (
        replace(story, plan=replace(story.plan, failures=replace(story.plan.failures, mode=mode)))
        for mode in ("strict", "soft")
    )
    assert "let at most 1 upgrade be under way at once" in page(strict)
    assert strict_words(replace(strict, failures_allowed=20, rejected_allowed=1)).count("at most 2 upgrades") == 1
    assert strict_words(replace(strict, failures_allowed=9, rejected_allowed=9)) == strict_words(soft) == ""


def test_a_refusal_that_nobody_knows_a_remedy_for_reads_the_same_in_list_and_table() -> None:
    assert remedy_of_refusal(None) == "remove the cause, then redo"
    assert "only a person can tell" not in page(make_story(3, 1))


def test_bars_fill_the_row_and_bins_hold_every_duration() -> None:
    assert [(bar.x, bar.width) for bar in parts({"a": 1, "b": 3})] == [(0.0, 250.0), (250.0, 750.0)]
    assert sum(each.count for each in histogram([60.0, 61.0, 600.0, 600.0])) == 4
    assert histogram([]) == []


def test_the_axis_has_a_few_round_instants_for_minutes_and_for_weeks() -> None:
    for length in (timedelta(0), timedelta(minutes=4), timedelta(hours=9), timedelta(days=40)):
        found = ticks(Axis(BEGIN, BEGIN + length))
        assert len(found) <= 7
        assert all(0 <= x <= 1000 and at.second == 0 for x, at in found)
