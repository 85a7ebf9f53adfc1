"""Bulkheads and secrets: what is wrong with one target stays with it, and no byte on disk shows a secret."""

from collections import Counter

import msgspec
from judge.rule import Found, Rule, Violation
from soak.evidence import Evidence

#: So much of a secret is a secret.
_PIECE = 16

_GOOD = frozenset({"succeeded", "accepted", "already"})


def harm(evidence: Evidence) -> Found:
    """Where one target alone is poisoned, those succeed that have an instance for themselves.

    On a shared instance nothing may start while another upgrade runs there, or nobody knows whether one does.
    """
    poisoned = evidence.fleet.dose.proxy_id
    if poisoned is None:
        return
    targets = evidence.report.targets
    crowd = Counter(target.instance_id for target in targets)
    for target in targets:
        alone = target.proxy_id != poisoned and crowd[target.instance_id] == 1
        if alone and target.outcome not in _GOOD:
            yield Violation(
                Rule.HARM, f"{target.proxy_id} is {target.outcome}: {target.reason}; {poisoned} is poisoned"
            )


def secret(evidence: Evidence) -> Found:
    """No piece of a secret is in journal or report."""
    for name, content in (("journal", bytes(evidence.disk.content)), ("report", msgspec.json.encode(evidence.report))):
        for value in evidence.fleet.secrets:
            pieces = (value[at : at + _PIECE] for at in range(max(1, len(value) - _PIECE + 1)))
            if any(piece.encode() in content for piece in pieces):
                yield Violation(Rule.SECRET, f"the {name} shows a secret of {len(value)} characters")
