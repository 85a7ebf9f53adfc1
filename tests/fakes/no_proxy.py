"""What a reading says of a proxy that its instance does not have."""

from orchestrator.model.reply.reply import Answered, Exchange
from orchestrator.model.run.eligibility import gone

GONE = gone("x", Answered((), Exchange(http_status=200)))
