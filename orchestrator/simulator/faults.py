"""Which fault hits a call: by script first, else by rate. Never what it does: that is `distortion`."""

from collections import Counter

from orchestrator.simulator.chance import pick, unit
from orchestrator.simulator.profile import Fault, Profile, ScriptedFault
from orchestrator.simulator.routes import Call
from orchestrator.simulator.wire import Request


class Faults:
    """Decides for each call. A rate's draw depends on the call's subject and its number there, not on other calls."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self._rates = {group: rates for group, rates in profile.rates.items() if rates}
        self._script = profile.faults
        self._seed = seed
        self._seen: Counter[tuple[str, str]] = Counter()
        self._idle = not (self._rates or self._script)

    def hitting(self, call: Call, request: Request) -> Fault | None:
        """The fault that hits this call; each call is asked about once."""
        if self._idle:
            return None
        subject = self._subject(call, request)
        number = self._count(call.kind, subject)
        overall = self._count(call.kind, "*")
        for entry in self._script:
            if _meant(entry, call, number if entry.proxy_id is not None else overall):
                return entry.fault
        rates = self._rates.get(call.group)
        return None if rates is None else pick(rates, unit(self._seed, "fault", call.kind, subject, number))

    def _count(self, kind: str, subject: str) -> int:
        self._seen[kind, subject] += 1
        return self._seen[kind, subject]

    @staticmethod
    def _subject(call: Call, request: Request) -> str:
        """What the call is about; a job's id is in the query. Other queries hold instants, which never repeat."""
        if call.kind == "job":
            return request.query
        return call.proxy_id or call.instance_id or call.project_id


def _meant(entry: ScriptedFault, call: Call, number: int) -> bool:
    if entry.call != call.kind or entry.proxy_id not in {None, call.proxy_id}:
        return False
    return entry.nth <= number < entry.nth + entry.times
