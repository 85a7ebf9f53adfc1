"""Random runs in which much happens beside the targets."""

from collections.abc import Callable
from datetime import timedelta

from fakes.plausible import PlausibleRun
from fakes.recorded import WAVES

from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record_base import Clocks


class EventfulRun(PlausibleRun):
    """A run in which more happens beside the targets, and some records cannot be applied to theirs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for target in self.random.sample(self.targets, self.count // 2):
            self._write(
                r.EarlierOutcome(
                    at=self._now(), target=target.proxy_id, run_id="before", outcome=Outcome.FAILED, reason="no space"
                )
            )

    def _run_steps(self) -> list[Callable[[], None]]:
        return [*super()._run_steps(), *[self._happen] * 4, self._spoil]

    def _happen(self) -> None:
        at, scope, wave = self._now(), self.random.choice(list(self.run.scopes)), self.random.choice(WAVES)
        offset_s, is_open = self.random.uniform(-900, 900), self.random.random() < 0.5
        self._write(
            self.random.choice(
                (
                    r.CloudTimeLearned(at=at, scope=scope, offset_s=offset_s, unsure_s=self.random.choice((None, 5.0))),
                    r.ClockStepped(at=at, clock="host", by_s=offset_s),
                    r.WaveSoaking(
                        at=at,
                        wave=wave,
                        until=at + timedelta(minutes=1),
                        clouds={scope: Clocks(monotonic_s=7.0, cloud_at=at)},
                    ),
                    r.WaveApproved(at=at, wave=wave, by="ann", note="go"),
                    r.ScopePaused(at=at, scope=scope, why="unreachable"),
                    r.ScopeOpened(at=at, scope=scope, project_id="p"),
                    r.ScopeGivenUp(at=at, scope=scope, why="refused"),
                    r.GateAnswered(at=at, gate="lag", answer="passes", open=is_open, value=offset_s),
                    r.PartFailed(at=at, part="the reports", error="OSError", ends=is_open),
                )
            )
        )

    def _spoil(self) -> None:
        key = self.random.choice(self.targets).proxy_id
        self._write(r.AnswerMissing(at=self._now(), target=key, attempt=99))
        self._write(r.Reverified(at=self._now(), target=key, healthy=False, finding="node ABNORMAL"))
