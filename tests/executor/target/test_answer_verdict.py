"""What an answer, and a reading after the upgrade, means: every row of both tables."""

import pytest

from orchestrator.executor.target.answer_verdict import judge_entries, strays
from orchestrator.executor.target.verify import Finding, HealthUnknown, NotYet, Verified, judge_health
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import Entry, ProxyHealth, ProxyVersion

OLD, NEW = "2.23.12.000", "2.24.03.000"
ACCEPT, REJECT = (
    Entry(workflow_id="w1", state="ACCEPT"),
    Entry(workflow_id="w2", state=" reject ", error_message="no ip"),
)
NO_ID, ODD = Entry(state="accept"), Entry(workflow_id="w3", state="QUEUED")


@pytest.mark.parametrize(
    ("entries", "verdict", "reason"),
    [
        ((ACCEPT,), "accepted", None),
        ((ACCEPT, ACCEPT), "accepted", None),
        ((REJECT, REJECT), "rejected", "no ip"),
        ((ACCEPT, REJECT), "partial", "no ip"),
        ((), "in_doubt", "the answer holds no update_result"),
        ((NO_ID,), "in_doubt", "ACCEPT without a workflow_id"),
        ((NO_ID, ACCEPT), "in_doubt", "ACCEPT without a workflow_id"),
        ((ODD,), "in_doubt", "unknown state 'QUEUED'"),
        ((ACCEPT, ODD), "in_doubt", "unknown state 'QUEUED'"),
        ((REJECT, ODD), "in_doubt", "unknown state 'QUEUED'"),
        ((Entry(workflow_id="w4"),), "in_doubt", "unknown state None"),
    ],
)
def test_what_the_entries_of_an_answer_mean(entries: tuple[Entry, ...], verdict: str, reason: str | None) -> None:
    assert judge_entries(entries) == (verdict, reason)


def test_the_case_of_letters_makes_no_id_another() -> None:
    entry = Entry(workflow_id="375AC6A4", instance_id="AB01in07", state="ACCEPT")
    assert strays(entry, "ab01in07", {"375ac6a4"})
    assert not strays(entry, "ab01in07", set())
    assert strays(entry, "ab02in07", set())


WELL = ProxyHealth(status="ACTIVE", nodes=("ACTIVE", "ACTIVE"))
ILL = (
    ProxyHealth(status="ABNORMAL", nodes=("ACTIVE",)),
    ProxyHealth(status="ACTIVE", nodes=("ACTIVE", "ABNORMAL")),
)


def judged(version: str | None, health: ProxyHealth | None) -> Finding:
    return judge_health(ProxyVersion(current_version=version) if version else None, health, NEW)


def test_verified_is_what_runs_the_version_and_is_active_with_all_its_nodes() -> None:
    assert judged(NEW, WELL) == Verified(NEW)
    for health in ILL:
        finding = judged(NEW, health)
        assert isinstance(finding, NotYet)
        assert finding.outcome is Outcome.FAILED


@pytest.mark.parametrize("health", [WELL, *ILL, None])
def test_another_version_is_a_mismatch_however_well_it_is(health: ProxyHealth | None) -> None:
    finding = judged(OLD, health)
    assert isinstance(finding, NotYet)
    assert finding.outcome is Outcome.MISMATCH


def test_of_what_cannot_be_read_nothing_is_claimed() -> None:
    unread = [judged(None, health) for health in (WELL, *ILL, None)]
    assert unread == [HealthUnknown()] * len(unread)
    assert judged(NEW, None) == HealthUnknown()


def test_a_list_without_the_proxy_says_nothing_of_its_health() -> None:
    assert isinstance(judged(NEW, ProxyHealth(status=None)), HealthUnknown)
