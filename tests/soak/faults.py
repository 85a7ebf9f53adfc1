"""A random mix of faults for one simulated cloud, from one seed.

Bounds that the promise of "never twice" needs are kept here, and nowhere else: an upgrade whose answer was lost begins,
and can be seen by those who can see it at all, well within the doubt period. A plan's `resend_after` promises that.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar, get_args

from orchestrator.simulator.profile import (
    AnyFault,
    End,
    Fault,
    Flip,
    Foreign,
    Group,
    Health,
    JobFate,
    JobShares,
    Latency,
    Limit,
    Lists,
    Paging,
    Profile,
    Role,
    ScriptedFate,
    ScriptedFault,
    Seen,
    Timing,
    UpgradeFault,
)

T = TypeVar("T")

ANY_FAULTS: tuple[AnyFault, ...] = get_args(AnyFault)
UPGRADE_FAULTS: tuple[Fault, ...] = (*ANY_FAULTS, *get_args(UpgradeFault))
ROLES: tuple[Role, ...] = get_args(Role)
ENDS: tuple[End, ...] = get_args(End)
FLIPS: tuple[Flip, ...] = get_args(Flip)
HEALTHS: tuple[Health, ...] = get_args(Health)
PAGINGS: tuple[Paging, ...] = get_args(Paging)
SEEN: tuple[Seen, ...] = get_args(Seen)

#: Single jobs may be seen late, or not by their id. A job that is in no list, while others of ours are, is beyond what
#: any evidence can show: that happens to whole projects (`jobs_hidden`) or whole clouds (`_UNLISTED`).
_SINGLE_SEEN: tuple[Seen, ...] = ("late", "not_by_id")
_UNLISTED: tuple[Seen, ...] = ("not_listed", "never")


#: Faults after which nobody knows what happened.
_DOUBTFUL: tuple[Fault, ...] = (
    "lost_answer",
    "lost_request",
    "error_after",
    "error_before",
    "gateway_timeout",
    "silence",
    "cut_body",
    "garbage",
    "garbage_unstarted",
    "empty_result",
    "unknown_state",
    "accept_without_id",
    "foreign_instead",
)


#: An answer and a fate that together show one rule of evidence: the answer says more than any list does.
_TRICKS: tuple[tuple[Fault, JobFate], ...] = (
    ("accept_without_id", JobFate(seen="never", end="failed")),
    ("accept_without_id", JobFate(seen="not_listed", end="failed")),
    ("job_id_instead", JobFate(seen="not_listed", end="failed")),
    ("unknown_state", JobFate(seen="not_listed", end="failed")),
    ("lost_answer", JobFate(seen="never", flip="early", end="failed")),
    ("lost_answer", JobFate(seen="never", health="abnormal", flip="early")),
    ("error_after", JobFate(seen="late", end="failed")),
)


def random_profile(
    chance: Random, proxy_ids: Sequence[str], *, murky: bool, doubt_s: float, http_timeout_s: float, rate: float
) -> Profile:
    """What goes wrong in one trial, and how often.

    Args:
        proxy_ids: of the fleet; with a few of them the cloud plays a trick.
        murky: every other answer leaves a doubt, and every other upgrade that began ends badly.
        doubt_s: the doubt period.
        http_timeout_s: slow bodies take about as long.
        rate: calls per second that the plan allows; a throttle is near it.
    """
    harsh = chance.random() ** 2
    tricked = chance.sample(proxy_ids, min(len(proxy_ids), chance.choice((0, 0, 1, 3))))
    tricks = {key: chance.choice(_TRICKS) for key in tricked}
    upgrade = (
        _shares(chance, _DOUBTFUL, 0.6, most=6) if murky else _shares(chance, UPGRADE_FAULTS, 0.5 * harsh, most=12)
    )
    return Profile(
        rates={"upgrade": upgrade, **_read_rates(chance)},
        jobs=_jobs(chance, harsh, bad=0.5 if murky else 0.3 * harsh),
        roles=_shares(chance, ROLES, 0.35 * harsh, most=5),
        lists=_lists(chance, harsh),
        foreign=_foreign(chance),
        timing=_timing(chance, doubt_s, http_timeout_s),
        latency=Latency(median_s=chance.choice((0.0, 0.0, 0.0, 0.3))),
        limits=_limits(chance, rate),
        clock_skew_s=chance.choice((0.0, 0.0, 47.0, -55.0, 97.0, -700.0, 7200.0)),
        token_lifetime_s=chance.choice((None, 400.0, 1500.0)),
        status_while_upgrading=chance.choice(("ACTIVE", "ACTIVE", "UPGRADING")),
        faults=tuple(ScriptedFault(call="upgrade", fault=fault, proxy_id=key) for key, (fault, _) in tricks.items()),
        fates=(*(ScriptedFate(fate=fate, proxy_id=key) for key, (_, fate) in tricks.items()), *_fates(chance)),
    )


def _read_rates(chance: Random) -> dict[Group, dict[Fault, float]]:
    return {
        "read": _shares(chance, ANY_FAULTS, chance.choice((0.0, 0.02, 0.08)), most=4),
        "iam": _shares(chance, ANY_FAULTS, chance.choice((0.0, 0.3)), most=4),
    }


def _jobs(chance: Random, harsh: float, bad: float) -> JobShares:
    return JobShares(
        end=_shares(chance, ENDS[1:], bad, most=3),
        flip=_shares(chance, FLIPS[1:], 0.4 * harsh, most=3),
        seen=_shares(chance, _SINGLE_SEEN, 0.3 * harsh, most=2),
        health=_shares(chance, HEALTHS[1:], 0.2 * harsh, most=2),
    )


def _fates(chance: Random) -> tuple[ScriptedFate, ...]:
    """Sometimes no job of this cloud is ever listed, or seen at all."""
    if chance.random() < 0.93:
        return ()
    fate = JobFate(seen=chance.choice(_UNLISTED), end=chance.choice(("completed", "failed")))
    return tuple(ScriptedFate(fate=fate, nth=nth) for nth in range(1, 9))


def _lists(chance: Random, harsh: float) -> Lists:
    return Lists(
        job_paging=_shares(chance, PAGINGS[1:], 0.5 * harsh, most=5),
        jobs_hidden=chance.choice((0.0, 0.0, 0.0, 0.3)),
        jobs_name_proxy=chance.choice((0.0, 0.5, 1.0)),
        odd_types=chance.choice((0.0, 0.3)),
    )


def _foreign(chance: Random) -> Foreign:
    return Foreign(
        jobs=chance.choice((0.0, 0.0, 0.2)),
        upgrades=chance.choice((0.0, 0.0, 0.04)),
        scheduled=chance.choice((0.0, 0.1)),
    )


def _timing(chance: Random, doubt_s: float, http_timeout_s: float) -> Timing:
    return Timing(
        node_s=chance.uniform(3.0, 12.0),
        visible_s=(0.5, min(6.0, 0.1 * doubt_s)),
        visible_late_s=(5.0, 0.4 * doubt_s),
        flip_late_s=(5.0, 90.0),
        effect_late_s=(0.5, 0.25 * doubt_s),
        authorised_after_s=(30.0, 200.0),
        unwell_s=(10.0, 90.0),
        slow_body_s=http_timeout_s * chance.uniform(0.5, 2.0),
        retry_after_s=(1.0, 8.0),
        foreign_from_s=(0.0, 900.0),
        foreign_for_s=(20.0, 240.0),
    )


def _limits(chance: Random, rate: float) -> tuple[Limit, ...]:
    if chance.random() < 0.75:
        return ()
    return (Limit(calls=max(1, int(rate * chance.uniform(4, 12))), period_s=10.0, after_s=chance.uniform(0, 60)),)


def _shares(chance: Random, names: tuple[T, ...], total: float, *, most: int) -> dict[T, float]:
    """Some of the names, with shares that add up to the total."""
    if total <= 0:
        return {}
    chosen = chance.sample(names, chance.randint(1, min(most, len(names))))
    weights = [chance.uniform(0.2, 1.0) for _ in chosen]
    return {name: total * weight / sum(weights) for name, weight in zip(chosen, weights, strict=True)}
