"""A sink sees every record, and can harm neither the session nor another sink."""

from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.app.sinks.tee import RecordSink, Tee
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.supervise import FAILURES
from orchestrator.model.record.record import PartFailed, Record


class Kept(RecordSink):
    name = "what keeps them"

    def __init__(self) -> None:
        self.records: list[Record] = []

    def take(self, record: Record) -> None:
        self.records.append(record)


class Throws(Kept):
    name = "what throws"

    def take(self, record: Record) -> None:
        super().take(record)
        raise ZeroDivisionError


class Dies(Kept):
    name = "what dies"

    async def serve(self, dispatcher: Dispatcher) -> None:  # noqa: ARG002  # it does not come so far
        raise ZeroDivisionError


def play(*sinks: RecordSink) -> Played:
    return Stage(plan=plan_of(targets_of(3)), sinks=sinks).play()


def test_every_sink_sees_every_record_once() -> None:
    sinks = Kept(), Kept()
    played = play(*sinks)
    assert sinks[0].records == sinks[1].records
    assert sorted(map(id, sinks[0].records)) == sorted(map(id, played.records))


def test_a_sink_that_throws_hides_no_record_from_another_and_is_reported_once() -> None:
    throws, kept = Throws(), Kept()
    failed: list[str] = []
    tee = Tee([throws, kept], lambda name, error: failed.append(f"{name}: {error!r}"))
    played = play()
    for record in played.records:
        tee(record)
    assert (throws.records, kept.records) == (played.records, played.records)
    assert failed == ["what throws: ZeroDivisionError()"]


def test_a_sink_that_throws_ends_no_session() -> None:
    played = play(Throws())
    assert (set(played.outcomes()), played.code) == ({"succeeded"}, 0)
    assert [failed.part for failed in played.of(PartFailed)] == ["what throws"]


def test_what_a_sink_does_beside_the_loop_is_given_up_when_it_always_fails() -> None:
    played = play(Dies())
    assert (set(played.outcomes()), played.code) == ({"succeeded"}, 0)
    assert [failed.part for failed in played.of(PartFailed)] == ["what dies"] * FAILURES
