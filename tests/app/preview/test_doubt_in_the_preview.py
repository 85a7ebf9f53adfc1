"""What the preview says of an upgrade that is in doubt, and what the next start sends of it."""

from collections.abc import Sequence

import pytest
from fakes import acts
from fakes.acts import Act
from fakes.clock import START, VirtualClock
from fakes.clouds import FakeCloud
from fakes.kept_fleet import KeptFleet
from fakes.stage import later, plan_of, targets_of
from msgspec import structs

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Plan, Retry, Wave
from orchestrator.planner.next_run import Asked
from orchestrator.planner.preview.preview_text import table

_AGAIN = "may be sent again if the cloud shows that it never began"
_FOLLOWED = "not sent again"


def _stopped(plan: Plan, script: Sequence[Act], *, after_s: float = 200.0, hides_total: bool = False) -> KeptFleet:
    """A fleet whose first proxy has these answers, and whose first session was stopped after a while."""
    cloud = FakeCloud(VirtualClock(START), plan.proxies)
    cloud.hides_total = hides_total
    cloud.acts[plan.proxies[0].proxy_id] = list(script)
    fleet = KeptFleet(plan, {"default": cloud})
    fleet.start(Asked(), (later(after_s, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),))
    return fleet


def _plan(attempts: int) -> Plan:
    return plan_of(
        targets_of(3),
        waves=(Wave(name="all"),),
        limits=Limits(in_flight=Amount(3), ramp=False),
        failures=Failures(max=Amount(100, percent=True), mode="soft"),
        retry=Retry(attempts=attempts, resend_after_s=900.0),
    )


@pytest.mark.parametrize(
    ("script", "attempts", "again", "words"),
    [
        ([acts.LOST_REQUEST], 5, 1, _AGAIN),
        ([acts.LOST_REQUEST], 1, 0, _FOLLOWED),
        ([], 5, 0, _FOLLOWED),
    ],
    ids=["attempts-left", "no-attempt-left", "its-workflow-is-known"],
)
def test_what_may_be_sent_again_is_counted_as_possible(
    script: list[Act], attempts: int, again: int, words: str
) -> None:
    fleet = _stopped(_plan(attempts), script)
    said = fleet.preview(Asked())
    (of_first,) = [each for each in said.left_out if fleet.plan.proxies[0] in each.targets]
    assert of_first.why.endswith(words)
    assert of_first.may_be_sent is bool(again)
    assert (said.sends, said.sends_at_most) == (0, again)
    assert (said.calls.upgrades, said.calls.upgrades_at_most) == (0, again)
    assert fleet.start(Asked()).total() == again


def test_the_words_tell_how_many_may_come_on_top() -> None:
    text = "\n".join(table(_stopped(_plan(5), [acts.LOST_REQUEST]).preview(Asked())))
    assert "to upgrade 0 (and up to 1 in doubt, once the cloud shows that they never began), left out" in text
    assert "calls: 0 to 1 upgrade, about" in text
    assert "expected duration: none, there is nothing to send, unless what is in doubt is sent again" in text


def test_where_a_person_is_waited_for_headline_and_duration_tell_of_it_too() -> None:
    """It stays in doubt, as no list can be read completely, and holds the only slot; each start looks again."""
    plan = structs.replace(_plan(5), limits=Limits(in_flight=Amount(1), ramp=False))
    fleet = _stopped(plan, [acts.LOST_REQUEST], after_s=2000.0, hides_total=True)
    text = "\n".join(table(fleet.preview(Asked())))
    assert "nothing starts now, unless the cloud shows that what is in doubt never began; waits for: a person" in text
    assert "calls: 2 to 3 upgrades" in text
    assert "limited by in_flight 1; what is in doubt and may be sent again is not in it" in text


def test_in_a_plan_that_was_changed_a_start_only_follows() -> None:
    fleet = _stopped(_plan(5), [acts.LOST_REQUEST])
    fleet.plan = structs.replace(fleet.plan, waves=(Wave(name="other"),))
    said = fleet.preview(Asked())
    assert said.state[-1].startswith("the plan was changed")
    assert (said.sends, said.sends_at_most) == (0, 0)
