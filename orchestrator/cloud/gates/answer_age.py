"""How old an answer was when it came: a cache on the way may give one of an hour ago. Pure."""

from msgspec import structs

from orchestrator.cloud.reading.answer import Answer, http_date
from orchestrator.model.plan.health_gate import GateFinding, HealthGate
from orchestrator.pattern import pattern
from orchestrator.spoken import spoken

#: Of a cache: for how many seconds it has had the answer (RFC 9111, 5.1). More digits than a year has are no age.
_AGE = pattern(r"[0-9]{1,8}")


def aged(finding: GateFinding, gate: HealthGate, answer: Answer, evaluated_s: float | None = None) -> GateFinding:
    """A finding with the age of the answer that it is from; none where that is older than one may be that counts.

    Args:
        finding: what the answer says.
        gate: which was asked.
        answer: as it came.
        evaluated_s: as of when the server has evaluated it, in seconds since 1970; None when it does not say.
    """
    age_s = max(_kept_s(answer), _behind_s(answer, evaluated_s))
    if age_s <= gate.fresh_s:
        return structs.replace(finding, age_s=age_s)
    evidence = f"an old answer, of {spoken(age_s)} ago: {finding.evidence}"
    return structs.replace(finding, answer="error", evidence=evidence)


def _kept_s(answer: Answer) -> float:
    found = _AGE.fullmatch(answer.headers.get("Age", ""))
    return 0.0 if found is None else float(found[0])


def _behind_s(answer: Answer, evaluated_s: float | None) -> float:
    """How far that instant lies behind the `Date` of the answer. Both are of the server: our clock may be another."""
    sent = http_date(answer.headers.get("Date", ""))
    return 0.0 if sent is None or evaluated_s is None else max(0.0, sent.timestamp() - evaluated_s)
