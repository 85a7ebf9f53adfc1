"""Executors that break one promise each. The oracle must find out every one of them, or it proves nothing.

Each differs from the real one in what it is joined to: its journal, its cloud, its plan, its tokens. None is a mock.
"""

from collections.abc import Callable, Hashable

from msgspec.structs import replace
from soak.life import Life
from soak.process import Build, Mask
from soak.twisted_ports import (
    PRESENCE,
    Api,
    EditedJournal,
    FragileJournal,
    HastyJournal,
    HopefulApi,
    ImpatientApi,
    RawApi,
    TrustingApi,
    WallLife,
    WallTimeline,
)

from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.ports import CloudApi, JournalPort, Pending
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Plan, Retry
from orchestrator.model.record.record import AnswerSeen, HoldSet, Postponed, Record
from orchestrator.model.reply.reply import Answered, Entry, Reply
from orchestrator.model.run.run import Run

_MANY = Amount(1000)


class SendsAgain(Build):
    """After a doubtful answer the upgrade is simply sent again."""

    def journal(self, journal: JournalPort) -> JournalPort:
        def edit(record: Record) -> Record:
            doubtful = isinstance(record, AnswerSeen) and record.verdict == "in_doubt"
            return replace(record, verdict="not_sent") if doubtful else record

        return EditedJournal(journal, edit)


class CallsTwice(Build):
    """The client repeats a call that brought no answer."""

    def api(self, api: CloudApi, plan: Plan) -> CloudApi:
        class Repeating(Api):
            async def upgrade(
                self, instance_id: str, proxy_id: str, source: str, target: str
            ) -> Reply[tuple[Entry, ...]]:
                reply = await super().upgrade(instance_id, proxy_id, source, target)
                if isinstance(reply, Answered):
                    return reply
                return await super().upgrade(instance_id, proxy_id, source, target)

        return Repeating(api, plan)


class TrustsAbsence(Build):
    """What is not in a list did not happen, whether or not such things are listed."""

    def run(self, run: Run) -> Run:
        run.accepted.add(PRESENCE)
        return run

    def api(self, api: CloudApi, plan: Plan) -> CloudApi:
        return TrustingApi(api, plan)


class FencesLateAnswers(Build):
    """An answer that took its time is thrown away."""

    def journal(self, journal: JournalPort) -> JournalPort:
        def edit(record: Record) -> Record | None:
            return None if isinstance(record, AnswerSeen) and record.duration_ms > 350 else record

        return EditedJournal(journal, edit)


class BelievesEveryAnswer(Build):
    """An answer that accepts is ours, whatever instance it names."""

    def journal(self, journal: JournalPort) -> JournalPort:
        def edit(record: Record) -> Record:
            if not (isinstance(record, AnswerSeen) and record.verdict == "in_doubt"):
                return record
            accepted = record.update_result and all(entry.accepted for entry in record.update_result)
            return replace(record, verdict="accepted", strays=()) if accepted else record

        return EditedJournal(journal, edit)


class TrustsTheWallClock(Build):
    """What the wall clock says has passed, has passed."""

    life = WallLife

    def run(self, run: Run) -> Run:
        wall = WallTimeline()
        for name in run.timeline.__struct_fields__:
            setattr(wall, name, getattr(run.timeline, name))
        run.timeline = wall
        return run


class OneToken(Build):
    """One token for everything that a process does."""

    def tokens(self, life: Life, session: int) -> Callable[[], str]:
        del life
        return lambda: f"process-{session}"


class IgnoresCaps(Build):
    """Limits on what is in flight are for others."""

    def plan(self, plan: Plan) -> Plan:
        limits = replace(plan.limits, in_flight=_MANY, per_instance=50, per_label={}, ramp=False)
        return replace(plan, limits=limits)


class IgnoresBudgets(Build):
    """Failures hold nobody up."""

    def plan(self, plan: Plan) -> Plan:
        waves = tuple(replace(wave, max_failures=None, max_rejected=None) for wave in plan.waves)
        failures = Failures(max=_MANY, max_rejected=_MANY, counts=plan.failures.counts, mode="soft")
        return replace(plan, failures=failures, waves=waves)


class ForgetsStrictness(Build):
    """Counts failures, and not what may still fail."""

    def plan(self, plan: Plan) -> Plan:
        return replace(plan, failures=replace(plan.failures, mode="soft"))


class SkipsSoaks(Build):
    """No wave soaks, none needs approval."""

    def plan(self, plan: Plan) -> Plan:
        return replace(plan, waves=tuple(replace(wave, soak_s=0.0, approve=False) for wave in plan.waves))


class IgnoresWindows(Build):
    """Works at any hour."""

    def plan(self, plan: Plan) -> Plan:
        return replace(plan, windows=())


class TooFast(Build):
    """Twice the rate, and everybody at once."""

    def plan(self, plan: Plan) -> Plan:
        rate = plan.limits.rate
        limits: Limits = replace(plan.limits, rate=rate if rate == "auto" else 2 * rate, concurrency=100)
        return replace(plan, limits=limits)


class GivesUpDoubtSoon(Build):
    """Does not wait for the doubt period."""

    def plan(self, plan: Plan) -> Plan:
        retry: Retry = replace(plan.retry, resend_after_s=1.0)
        return replace(plan, retry=retry)


class ClaimsSuccess(Build):
    """Claims success without looking."""

    def api(self, api: CloudApi, plan: Plan) -> CloudApi:
        return HopefulApi(api, plan)


class SeesWhatItLikes(Build):
    """Every job is completed at first sight."""

    def api(self, api: CloudApi, plan: Plan) -> CloudApi:
        return ImpatientApi(api, plan)


class SendsBeforeWriting(Build):
    """The intent is on its way to the disk: that will do."""

    def journal(self, journal: JournalPort) -> JournalPort:
        return HastyJournal(journal)


class IgnoresPeople(Build):
    """A person's hold is written down, and that is all."""

    def ledger(self, rollout: Rollout, life: Life, changed: Callable[[], None], mask: Mask) -> Ledger:
        class Deaf(Ledger):
            def _apply(self, record: Record) -> None:
                if not (isinstance(record, HoldSet) and record.cause == "person"):
                    super()._apply(record)

        return Deaf(rollout, life, changed=changed, observe=_ignore, mask=mask)


class CountsTwice(Build):
    """What lives is not what was written."""

    def ledger(self, rollout: Rollout, life: Life, changed: Callable[[], None], mask: Mask) -> Ledger:
        class Double(Ledger):
            def on_durable(self, record: Record) -> None:
                super().on_durable(record)
                if isinstance(record, Postponed) and record.target is not None:
                    rollout.run.state(record.target).busy_times += 1

        return Double(rollout, life, changed=changed, observe=_ignore, mask=mask)


class WriterDies(Build):
    """A header is taken as it is, and the writer dies of the first record that cannot be encoded."""

    def api(self, api: CloudApi, plan: Plan) -> CloudApi:
        return RawApi(api, plan)

    def ledger(self, rollout: Rollout, life: Life, changed: Callable[[], None], mask: Mask) -> Ledger:
        class Raw(Ledger):
            def _append(self, record: Record) -> Pending:
                if isinstance(record, AnswerSeen) and self._journal is not None:
                    return self._journal.append_nowait(record)
                return super()._append(record)

        return Raw(rollout, life, changed=changed, observe=_ignore, mask=mask)

    def journal(self, journal: JournalPort) -> JournalPort:
        return FragileJournal(journal)


class HidesNothing(Build):
    """Knows no secret when it sees one."""

    def secrets(self) -> Secrets:
        class Forgetful(Secrets):
            def learn(self, owner: Hashable, *secrets: Secret) -> None:
                del owner, secrets

        return Forgetful()


def _ignore(_record: Record) -> None:
    pass
