"""What stands still is told apart from what is slow, suspended, or waits for nothing."""

from orchestrator.app.run.watchdog import Due, Watchdog

PATIENCE = 5


class Session:
    """What is due in a session, as a test has it."""

    def __init__(self) -> None:
        self.due: Due | None = None
        self.dog = Watchdog(lambda: self.due, lambda _stood: None, PATIENCE)

    def pass_seconds(self, seconds: int, *, beats: bool = True) -> str | None:
        for _ in range(seconds):
            if beats:
                self.dog.look()
            stood = self.dog.tick()
            if stood is not None:
                return stood
        return None


def test_a_loop_that_goes_round_with_nothing_due_may_wait_for_ever() -> None:
    assert Session().pass_seconds(1000) is None


def test_a_loop_that_does_not_go_round_stands_still() -> None:
    session = Session()
    session.pass_seconds(10)
    assert session.pass_seconds(PATIENCE - 1, beats=False) is None
    assert session.pass_seconds(1, beats=False) == "the event loop"


def test_the_same_thing_due_for_too_long_stands_still() -> None:
    session = Session()
    session.due = ("a record", object())
    assert session.pass_seconds(PATIENCE) is None
    assert session.pass_seconds(1) == "a record"


def test_a_slow_disk_that_goes_on_is_no_standstill() -> None:
    session = Session()
    for _ in range(100):
        session.due = ("a record", object())
        assert session.pass_seconds(PATIENCE - 1) is None


def test_a_late_beat_between_others_is_no_standstill() -> None:
    session = Session()
    for _ in range(100):
        assert session.pass_seconds(PATIENCE - 1, beats=False) is None
        assert session.pass_seconds(1) is None
