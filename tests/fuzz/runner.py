"""Tries trials, takes apart those that fail, and says how to play them again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fuzz.trial import Trial, draw, play
from fuzz.verdict import judge

#: Trials that taking one apart may cost.
_MOST_TRIES = 25


@dataclass(frozen=True)
class Found:
    """A trial that broke a promise."""

    trial: Trial
    violations: list[str]


def try_one(seed: int, index: int) -> Found | None:
    """Play one trial; None when all promises were kept."""
    return _found(draw(seed, index))


def _found(trial: Trial) -> Found | None:
    violations = judge(play(trial))
    return Found(trial, violations) if violations else None


def smallest(found: Found) -> Found:
    """A trial with as little as possible that breaks a promise too."""
    tries, smaller = 0, True
    while smaller:
        smaller = False
        for trial in _less(found.trial):
            tries += 1
            if tries > _MOST_TRIES:
                return found
            if less := _found(trial):
                found, smaller = less, True
                break
    return found


def _less(trial: Trial) -> Iterator[Trial]:
    """Trials in which something less happens."""
    for gone in range(len(trial.faults)):
        yield replace(trial, faults=trial.faults[:gone] + trial.faults[gone + 1 :])
    for gone in range(len(trial.steps)):
        yield replace(trial, steps=trial.steps[:gone] + trial.steps[gone + 1 :])
    if trial.sessions > 1:
        yield replace(trial, sessions=1)
    if trial.drift:
        yield replace(trial, drift=0.0)
    if trial.targets > 1:
        yield replace(trial, targets=trial.targets - 1)


def story(found: Found) -> Iterator[str]:
    """What happened, what was broken, and the command that plays it again."""
    trial = found.trial
    yield f"replay: make fuzz SEED={trial.seed} INDEX={trial.index}"
    yield f"  {trial.theme}, {trial.targets} targets, {trial.sessions} sessions at most"
    for fault in trial.faults:
        who = "all targets" if fault.proxy is None else f"target {fault.proxy}"
        times = f"{fault.times} times" if fault.times < 1000 else "for ever"
        yield f"  {fault.twist}: calls of kind {fault.kind} of {who}, {fault.first} spared, then {times}"
    for step in trial.steps:
        when = "between two sessions" if step.after is None else f"{step.delay_s} s after upgrade {step.after} began"
        yield f"  the wall clock steps by {step.by_s} s {when}"
    if trial.drift:
        yield f"  the wall clock drifts by {trial.drift} s a second"
    if trial.raises:
        yield f"  an exception at point {trial.raises[0]}, pass {trial.raises[1]}"
    yield from (f"  broken: {violation[:400]}" for violation in found.violations[:6])
