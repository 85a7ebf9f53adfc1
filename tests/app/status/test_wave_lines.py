"""What `status` says of a wave."""

from fakes.clock import START
from fakes.recorded import make_plan, make_targets, run_started
from fakes.stage import fold_all
from msgspec import structs

from orchestrator.app.status.fleet_status import wave_line
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.tracker.report.build import build_report

STUCK, DONE = make_targets(2)
PLAN = make_plan([STUCK, DONE])
BEFORE = (
    run_started(2),
    r.WaveOpened(at=START, wave="canary"),
    r.Intent(
        at=START, target=STUCK.proxy_id, attempt=1, wave="canary", token="t", source_version="1", target_version="2"
    ),
    r.WaveDone(at=START, wave="canary"),
    r.WaveOpened(at=START, wave="rest"),
    r.Settled(at=START, target=DONE.proxy_id, outcome=Outcome.ALREADY, wave="rest"),
)


def lines(*records: r.Record) -> list[str]:
    run = fold_all(PLAN, (*BEFORE, *records))
    return [wave_line(run, wave) for wave in build_report(run, PLAN).head.waves]


def test_the_last_wave_says_for_what_it_stays_open() -> None:
    doubts = r.AnswerMissing(at=START, target=STUCK.proxy_id, attempt=1)
    remains = r.DoubtRemains(at=START, target=STUCK.proxy_id, attempt=1, why="several candidates")
    assert lines(doubts, remains) == [
        "  canary: done, 1 in_doubt",
        "  rest: open, 1 already; stays open for 1 stuck target of wave canary",
    ]


def test_what_is_stuck_in_the_wave_itself_needs_no_name_of_a_wave() -> None:
    begun = tuple(structs.replace(each, wave="rest") for each in BEFORE if isinstance(each, r.Intent | r.Settled))
    opened = (run_started(2), r.WaveOpened(at=START, wave="canary"), r.WaveDone(at=START, wave="canary"))
    doubts = r.AnswerMissing(at=START, target=STUCK.proxy_id, attempt=1)
    remains = r.DoubtRemains(at=START, target=STUCK.proxy_id, attempt=1, why="several candidates")
    run = fold_all(PLAN, (*opened, r.WaveOpened(at=START, wave="rest"), *begun, doubts, remains))
    rest = build_report(run, PLAN).head.waves[1]
    assert wave_line(run, rest).endswith("; stays open for 1 stuck target")


def test_while_some_have_not_begun_it_is_open_for_these() -> None:
    records = [each for each in BEFORE if not isinstance(each, r.Settled)]
    doubts = r.AnswerMissing(at=START, target=STUCK.proxy_id, attempt=1)
    remains = r.DoubtRemains(at=START, target=STUCK.proxy_id, attempt=1, why="several candidates")
    run = fold_all(PLAN, (*records, doubts, remains))
    assert [wave_line(run, wave) for wave in build_report(run, PLAN).head.waves][1] == "  rest: open, nothing yet"


def test_while_something_moves_a_wave_is_just_open() -> None:
    assert lines()[1] == "  rest: open, 1 already"
