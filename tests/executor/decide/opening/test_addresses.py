"""What a session makes of a target whose subnet has to be read, or was read and has too few addresses."""

from datetime import datetime, timedelta

import pytest
from fakes.clock import START
from fakes.clouds import NEW, OLD
from fakes.rollouts import ALL, FREE, LENIENT, rollout_of
from fakes.stage import plan_of, targets_of
from fakes.vpc import in_subnet

from orchestrator.executor.decide.actions import Finish, ReadCloud, Start, WaitUntil
from orchestrator.executor.decide.bench import EVENTS, SUBNET, Block
from orchestrator.executor.decide.next_action import next_action
from orchestrator.executor.decide.one_target.intent_gate import may_send
from orchestrator.executor.decide.opening.addresses import short_subnet
from orchestrator.executor.decide.opening.readings import is_old
from orchestrator.executor.decide.rollout import Reading, Rollout
from orchestrator.executor.restore_queue import make_queue
from orchestrator.model.plan.plan import Capacity, Retry
from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    AnswerSeen,
    CloudTimeLearned,
    Intent,
    JobSeen,
    Record,
    SessionStarted,
    Settled,
    WaveOpened,
)
from orchestrator.model.reply.cloud_event import CloudEvents
from orchestrator.model.reply.reply import Entry

LATER = START + timedelta(hours=3)
BLOCK = (SUBNET, "a")


def rollout(free: int, cloud_events: CloudEvents = "off") -> Rollout:
    """One target, whose subnet was read three hours ago, when nothing of ours was in it; it may not wait for any."""
    plan = plan_of(
        [in_subnet(target, "a") for target in targets_of(1)],
        limits=FREE,
        failures=LENIENT,
        waves=ALL,
        capacity=Capacity(subnet_reserve=0),
        cloud_events=cloud_events,
        retry=Retry(busy_for_s=86400.0),
    )
    made = rollout_of(plan)
    made.wait_s = 0.0
    made.run.apply(SubnetRead(at=START, scope="default", subnet_id="a", free=free))
    made.readings[BLOCK] = Reading(asked_at=START, read_at=START)
    return made


def test_a_reading_that_is_old_is_made_again_before_anything_is_made_of_it() -> None:
    assert next_action(rollout(free=1), LATER) == ReadCloud("default", BLOCK)


def test_a_session_does_not_end_while_the_addresses_are_being_counted() -> None:
    made = rollout(free=1)
    made.readings[BLOCK].asking, made.readings[BLOCK].asked_at = True, LATER
    assert isinstance(next_action(made, LATER), WaitUntil)


@pytest.mark.parametrize("block", [BLOCK, (EVENTS, "default")])
def test_nothing_starts_by_an_old_reading_while_it_is_made_again(block: Block) -> None:
    made = rollout(free=9, cloud_events="wait")
    for each in (BLOCK, (EVENTS, "default")):
        made.readings[each] = Reading(asked_at=LATER, read_at=LATER)
    assert isinstance(next_action(made, LATER), Start)

    made.queue = make_queue(made.plan, made.plan.proxies, made.run)
    made.readings[block] = Reading(asking=True, asked_at=LATER, read_at=START)
    assert isinstance(next_action(made, LATER), WaitUntil)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (BLOCK, "subnet a has too few free addresses"),
        ((EVENTS, "default"), "what the cloud does itself in scope default was read too long ago"),
    ],
)
def test_no_intent_by_a_reading_that_grew_old_while_the_proxy_was_read(block: Block, why: str) -> None:
    """A scope may be out of reach between the two for a quarter of an hour."""
    made = rollout(free=9, cloud_events="wait")
    state = made.run.state(next(iter(made.run.targets)))
    made.queue.starting[state.key] = "all"
    for each in (BLOCK, (EVENTS, "default")):
        made.readings[each] = Reading(asked_at=LATER, read_at=LATER)
    assert may_send(made, state, LATER) is None

    made.readings[block] = Reading(asked_at=START, read_at=START)
    assert may_send(made, state, LATER) == why


def test_it_ends_for_too_few_addresses_once_they_are_counted() -> None:
    made = rollout(free=1)
    made.readings[BLOCK] = Reading(asked_at=LATER, read_at=LATER)
    action = next_action(made, LATER)
    assert isinstance(action, Finish)
    assert "subnet a has 1 free address, at least 2 are needed" in action.why


def test_where_calls_are_rare_a_reading_counts_for_the_time_of_some() -> None:
    made = rollout(free=9)
    block = (EVENTS, "default")
    made.readings[block] = Reading(asked_at=START, read_at=START, scope="default")
    hour = START + timedelta(hours=1)
    assert is_old(made, block, hour)
    made.scope_rates = {"default": 1 / 600}
    assert not is_old(made, block, hour)
    assert is_old(made, block, START + timedelta(hours=2))


@pytest.mark.parametrize(("ended_s", "short"), [(-60.0, True), (10.0, False)])
def test_what_had_ended_when_its_subnet_was_read_is_among_what_is_free(ended_s: float, short: bool) -> None:
    """Its end is seen later. What ended after the reading has given back since what was taken then."""
    plan = plan_of(
        [in_subnet(target, "a") for target in targets_of(2)],
        limits=FREE,
        waves=ALL,
        capacity=Capacity(subnet_reserve=0),
    )
    made = rollout_of(plan)
    first, second = plan.proxies
    read = START + timedelta(hours=1)
    for record in upgraded(
        first.proxy_id, seen_at=read + timedelta(seconds=20), ended_at=read + timedelta(seconds=ended_s)
    ):
        if isinstance(record, JobSeen):
            made.run.apply(SubnetRead(at=read, scope="default", subnet_id="a", free=1))
        made.run.apply(record)
    made.readings[BLOCK] = Reading(asked_at=read, read_at=read)
    now = read + timedelta(seconds=30)
    assert short_subnet(made, second, now) == ("a" if short else None)


def upgraded(key: str, *, seen_at: datetime, ended_at: datetime) -> list[Record]:
    """The records of an upgrade whose job is seen to have ended."""
    answer = (Entry(instance_id=None, workflow_id="w", state="ACCEPT"),)
    return [
        SessionStarted(at=START, number=1, pid=1, host="h", orchestrator_version="0"),
        WaveOpened(at=START, wave="all"),
        CloudTimeLearned(at=START, scope="default", offset_s=0.0),
        Intent(at=START, target=key, attempt=1, wave="all", token="t", source_version=OLD, target_version=NEW),
        AnswerSeen(at=START, target=key, attempt=1, verdict="accepted", update_result=answer),
        JobSeen(at=seen_at, target=key, attempt=1, workflow_id="w", status="Completed", ended=True, ended_at=ended_at),
        Settled(at=seen_at, target=key, attempt=1, outcome=Outcome.SUCCEEDED),
    ]
