"""One call that was to upgrade a target: what was meant by it, and what became of it."""

import msgspec

from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import AnswerSeen, Intent, Verdict
from orchestrator.model.reply.reply import same_id

#: Verdicts that say nothing of the target: the call was not let in, or never left.
TURNED_AWAY: frozenset[Verdict] = frozenset({"throttled", "unauthenticated", "not_sent"})


class Attempt(msgspec.Struct):
    """One upgrade-version call: its intent, when that was, and its answer once there is one; `host` made it."""

    intent: Intent
    sent: Moment
    answer: AnswerSeen | None = None
    contested: bool = False
    host: str | None = None

    @property
    def doubtful(self) -> bool:
        """Whether no answer came that can be trusted: none at all, none that is clear, or one that may be another's."""
        return self.answer is None or self.answer.verdict == "in_doubt" or self.contested

    def names(self, workflow_id: str) -> bool:
        """Whether its answer names a workflow."""
        return self.answer is not None and any(
            same_id(each.workflow_id, workflow_id) for each in self.answer.update_result
        )
