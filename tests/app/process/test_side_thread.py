"""Work in a thread of its own: who waits gets what came of it, and who has gone away disturbs nobody."""

from threading import Thread

import pytest

from orchestrator.app.process import side_thread


def test_who_waits_gets_the_end_of_the_work_or_its_error() -> None:
    def fails() -> None:
        raise OSError("the disk is gone")

    assert side_thread.begin(lambda: None, "the metrics").result() is None
    with pytest.raises(OSError, match="the disk is gone"):
        side_thread.begin(fails, "the metrics").result()


@pytest.mark.parametrize("error", [None, OSError("the disk is gone")])
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_goes_away_before_the_thread_runs_is_not_told(
    monkeypatch: pytest.MonkeyPatch, error: OSError | None
) -> None:
    """The loop may end between the start of a thread and its first step."""
    done, made = list[str](), list[Thread]()

    class NotYet(Thread):
        def start(self) -> None:
            made.append(self)

    def work() -> None:
        done.append("done")
        if error is not None:
            raise error

    monkeypatch.setattr(side_thread, "Thread", NotYet)
    assert side_thread.begin(work, "the metrics").cancel()
    (thread,) = made
    Thread.start(thread)
    thread.join()
    assert done == ["done"], "what was asked for is done all the same"
