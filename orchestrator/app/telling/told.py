"""A record as one short line: whose it is, by name where that is known, and what happened."""

from orchestrator.app.telling.sentence import sentence
from orchestrator.app.telling.target_sentence import answer_words
from orchestrator.model.record.record import AnswerSeen, Record
from orchestrator.model.run.run import Run

#: So much of an id tells it from others, and `status` takes it.
_SHORT = 8


def told(record: Record, run: Run) -> str:
    """The line, without its instant."""
    if record.target is None:
        return sentence(record)
    target = run.targets.get(record.target)
    name = f"{target.called} " if target is not None and target.called else ""
    words = answer_words(record) if isinstance(record, AnswerSeen) else sentence(record)
    return f"{name}{record.target[:_SHORT]}  {words}"
