"""The named instants between "target chosen" and "settled" at which a process may die; tests kill it at each."""

from enum import StrEnum


class Point(StrEnum):
    """One instant. A new step in the story of a proxy gets its point here, and the crash tests cover it."""

    TARGET_CHOSEN = "target_chosen"
    PREFLIGHT_READ = "preflight_read"
    SLOT_TAKEN = "slot_taken"
    INTENT_WRITTEN = "intent_written"
    ANSWER_RECEIVED = "answer_received"
    ANSWER_WRITTEN = "answer_written"
    EVIDENCE_READ = "evidence_read"
    DOUBT_RESOLVED = "doubt_resolved"
    JOB_READ = "job_read"
    JOB_ENDED = "job_ended"
    VERIFIED = "verified"
    SETTLED = "settled"
