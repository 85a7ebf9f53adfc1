"""Where a target stands: the outcomes that settle it, and the phases before that."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a target ended. Exactly one, once it is settled."""

    SUCCEEDED = "succeeded"
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    ALREADY = "already"
    REJECTED = "rejected"
    FAILED = "failed"
    MISMATCH = "mismatch"
    DEFERRED = "deferred"
    SKIPPED = "skipped"
    NOT_STARTED = "not_started"


class Phase(StrEnum):
    """Where a target stands that is not settled.

    DOUBT is the time in which a doubtful attempt is still being reconciled, IN_DOUBT what remains when that brought no
    evidence; both are shown as `in_doubt`, but only the second counts as a failure.
    """

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DOUBT = "doubt"
    IN_DOUBT = "in_doubt"
    TIMED_OUT = "timed_out"
    SETTLED = "settled"


#: In which order outcomes are shown; then where targets stand that have none.
ORDER = (*(outcome.value for outcome in Outcome), *(phase.value for phase in Phase))

#: Phases in which something of ours may still be happening; each holds a slot.
OPEN = frozenset({Phase.IN_FLIGHT, Phase.DOUBT, Phase.IN_DOUBT, Phase.TIMED_OUT})

#: Open phases that nothing but new evidence, or a person, ends: a wave does not wait for them.
STUCK = frozenset({Phase.IN_DOUBT, Phase.TIMED_OUT})

#: Outcomes with which a run may still end with exit code 0.
GOOD = frozenset({Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.ALREADY})

#: The others.
BAD = frozenset(Outcome) - GOOD

#: Outcomes of targets that were never sent because nothing was to be done; a wave replaces them by the next in order.
REPLACED = frozenset({Outcome.ALREADY, Outcome.SKIPPED})

#: Why a target is `skipped` of which an earlier run of the fleet said `failed`, `mismatch` or `rejected`.
FAILED_BEFORE = "failed_before"

#: What is told of an upgrade that began, or may have, and whose id nothing showed.
NOT_RECOVERED = "workflow_id not recovered"

#: Why a target is `not_started` that no run has come to, where `--only-outcome` asks for others.
NOT_ASKED = "not_asked"

#: Outcomes of targets that were upgraded, as far as they were followed, also when an answer refused a part.
UPGRADED = frozenset({Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.PARTIAL})

#: Outcomes of targets whose upgrade began, as far as is known.
BEGAN = frozenset({Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.PARTIAL, Outcome.FAILED, Outcome.MISMATCH})
