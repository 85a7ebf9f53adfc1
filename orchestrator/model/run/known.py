"""What a run knows of all its targets together: whose each workflow is, the reasons to refuse, how long upgrades take.

It is what the records of a target change beside that target's own state, see `fold`.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping

from orchestrator.model.learned.accepted_on import AcceptedOn
from orchestrator.model.learned.durations import Durations
from orchestrator.model.learned.gate_status import GateStatus
from orchestrator.model.learned.refusal import refusals
from orchestrator.model.learned.timeline import Timeline
from orchestrator.model.plan.plan import Failures
from orchestrator.model.plan.target import Target
from orchestrator.model.record.capacity import FEWEST_NODES, SubnetStatus, addresses_needed, subnet_of
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import BEGAN, Phase
from orchestrator.model.record.record import AnswerSeen, EarlierOutcome, WaveDone
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import key_of
from orchestrator.model.run.hosts import Hosts
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.states import States
from orchestrator.model.run.status import ScopeStatus, WaveStatus
from orchestrator.model.run.tally import Tally


class Indexes:
    """The indexes of a run over its targets. Ids of workflows are as they are compared, but in the states.

    Attributes:
        gates: those that have been answered.
        rejects: how often each reason to refuse was given, by its signature.
        known_rejects: signatures of the reasons that were known before the run, or that a person has released.
        new_rejects: the first text of each of the others, by signature.
        workflows: whose each workflow of ours is.
        accepted: of `workflows`, those that an answer accepted: one that is only adopted may be another's after all.
        accepted_on: when each workflow of ours was accepted, by instance.
        accepted_in: when an upgrade was accepted last, by scope.
        named: workflows of answers that were not believed, each with the target that was answered it first.
        contested: ids that answers gave to more than one target, or to one on whose instance the job does not run.
        named_by_job: of `workflows`, those whose job was seen to name its target.
        listed: of `workflows`, those whose job was seen on the instance of its target.
        astray: ids in answers about another instance than was asked about, each with that instance.
        durations: how long upgrades took; `foretold`: how long the cloud said, before each, that it would take.
        measured: targets whose impact was sampled.
        job_names: names of jobs of ours, by scope.
        subnets: those that were read.
        capacity_denied: scopes that may not ask for the addresses of subnets, in the latest session, and why.
        cloud_events: what the cloud is about to do, by scope and instance id in small letters.
        events_denied: scopes that may not ask for that, in the latest session, and why.
        needs: how many addresses refusals said that an upgrade needs, by subnet.
        sent_at: when attempts were made, by the calendar, in seconds of the epoch, the first one first.
        earlier: what earlier runs said of targets that did not end well there.
        hosts: those that have worked on it.
        turns: targets that wait and whose turn it is in the latest session, where turns are written down, each with its
            wave.
        troubles: errors of this program in the latest session, by which it ends with 70.
        warnings: what it went on without.
        host_errors: what the machine did not give to the latest session, by which it ends with 8.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        waves: Iterable[str],
        scopes: Iterable[str],
        failures: Failures,
        most_unpacked: float,
    ) -> None:
        self.targets: Mapping[str, Target] = {target.proxy_id: target for target in targets}
        self.failures = failures
        self.earlier: dict[str, EarlierOutcome] = {}
        self.states = States(self.targets, self.earlier, most_unpacked)
        self.waves = {name: WaveStatus(name) for name in waves}
        self.scopes = {name: ScopeStatus(name) for name in scopes}
        self.gates: dict[str, GateStatus] = {}
        self.tally = Tally()
        self.timeline = Timeline()
        self.rejects: Counter[str] = Counter()
        self.known_rejects: set[str] = set()
        self.new_rejects: dict[str, str] = {}
        self.workflows: dict[str, str] = {}
        self.accepted: set[str] = set()
        self.accepted_on = AcceptedOn()
        self.accepted_in: dict[str, Moment] = {}
        self.named: dict[str, str] = {}
        self.contested: set[str] = set()
        self.named_by_job: set[str] = set()
        self.listed: set[str] = set()
        self.astray: dict[str, str] = {}
        self.job_names: dict[str, set[str]] = {}
        self.durations = Durations()
        self.foretold = Durations()
        self.measured: set[str] = set()
        self.upgrade_calls = 0
        self.subnets: dict[str, SubnetStatus] = {}
        self.capacity_denied: dict[str, str] = {}
        self.cloud_events: dict[str, Mapping[str, tuple[CloudEvent, ...]]] = {}
        self.events_denied: dict[str, str] = {}
        self.needs: dict[str, int] = {}
        self.sent_at = array("d")
        self.hosts = Hosts()
        self.turns: dict[str, str] = {}
        self.troubles: list[str] = []
        self.warnings: list[str] = []
        self.host_errors: list[str] = []
        self._unknown: dict[str, set[str]] = {}

    def state(self, proxy_id: str) -> TargetState:
        """The state of one target, made when it is asked for the first time."""
        state = self.states.get(proxy_id)
        if state is None:
            target = self.targets[proxy_id]  # whose id is kept, and not a copy of it for each that was touched
            state = self.states[target.proxy_id] = TargetState(target, earlier=self.earlier.get(proxy_id))
        return state

    def unknown_on(self, instance_id: str) -> list[TargetState]:
        """Targets on an instance that may have a job whose id is not known: under way, in doubt, settled without it."""
        return [self.states[proxy_id] for proxy_id in self._unknown.get(instance_id, ())]

    def join_wave(self, state: TargetState, wave: str) -> None:
        """Note the wave that drew a target; the first one stays."""
        if state.wave is None:
            state.wave = wave
            self.waves[wave].targets.append(state.key)

    def end_wave(self, record: WaveDone) -> None:
        """Note that a wave is over, and which of its targets, as far as they are known here, still have their turn."""
        self.waves[record.wave].done_at = record.at
        for proxy_id in filter(self.targets.__contains__, record.held_up):
            self.join_wave(self.state(proxy_id), record.wave)

    def own(self, state: TargetState, workflow_id: str) -> None:
        """A workflow is ours, and belongs to this target."""
        state.jobs.setdefault(state.written(workflow_id), None)
        self.workflows[key_of(workflow_id)] = state.key
        self.contested.discard(key_of(workflow_id))

    def others_with(self, workflow_id: str, state: TargetState) -> list[TargetState]:
        """The other targets that a workflow was given to, by an answer or by evidence."""
        key = key_of(workflow_id)
        if key not in self.named and key not in self.workflows:  # nearly always
            return []
        keys = {self.named.get(key), self.workflows.get(key)} - {None, state.key}
        return [self.states[each] for each in sorted(filter(None, keys))]

    def contest(self, owner: TargetState, workflow_id: str, *, shown: bool = False) -> None:
        """A workflow that this target was given is another's too: unless its job was seen, it is nobody's.

        `shown`: the job itself is the other's. What was set aside waits for a person, as it is.
        """
        written = owner.written(workflow_id)
        if written in owner.jobs:
            seen = owner.jobs[written] is not None or key_of(workflow_id) in self.named_by_job
            stays = seen and not shown
        else:
            stays = key_of(workflow_id) in owner.shared
        if stays or owner.set_aside:
            return
        before = self.tally.mark(owner, self.failures)
        owner.evidence.append(given_twice(workflow_id))
        self.disown(owner, workflow_id)
        self.tally.move(owner, before, self.tally.mark(owner, self.failures))
        self.index(owner)

    def disown(self, state: TargetState, workflow_id: str) -> None:
        """A workflow that was taken for this target's may be another's: only evidence says whose it is.

        A target that has its outcome keeps it, without the workflow.
        """
        key = key_of(workflow_id)
        self.contested.add(key)
        self.accepted.discard(key)
        self.named_by_job.discard(key)
        self.listed.discard(key)
        self.accepted_on.drop(state.target.instance_id, key)
        if self.workflows.get(key) == state.key:
            del self.workflows[key]
        state.lose(workflow_id)

    def events_of(self, scope: str) -> tuple[CloudEvent, ...]:
        """What the cloud is about to do in a scope itself, as far as it is known."""
        return tuple(event for events in self.cloud_events.get(scope, {}).values() for event in events)

    def addresses(self, target: Target) -> int:
        """How many addresses an upgrade of a target needs: one for each node, or what a refusal in its subnet said."""
        return max(self.nodes(target) or FEWEST_NODES, self.needs.get(subnet_of(target) or "", 0))

    def nodes(self, target: Target) -> int | None:
        """How many nodes a target has, as it was read before its upgrade, or by discovery; None when nobody knows."""
        state, facts = self.states.get(target.proxy_id), target.facts
        return (state and state.nodes) or (facts and facts.nodes) or None

    def count_rejects(self, answer: AnswerSeen) -> None:
        """Count the reasons to refuse of an answer, and learn from them."""
        needed, subnet = addresses_needed(answer), subnet_of(self.targets[answer.target or ""])
        if needed is not None and subnet is not None:
            self.needs[subnet] = max(needed, self.needs.get(subnet, 0))
        for refusal in refusals(answer):
            sign = refusal.signature
            self.rejects[sign] += 1
            if self.rejects[sign] == 1 and sign not in self.known_rejects:
                self.new_rejects[sign] = refusal.text

    def accept_rejects(self) -> None:
        """A person has released them: the reasons so far are new no more."""
        self.known_rejects.update(self.new_rejects)
        self.new_rejects.clear()

    def index(self, state: TargetState) -> None:
        """Keep `unknown_on` and `turns` in step with a target that has changed."""
        if state.phase is not Phase.WAITING:
            self.turns.pop(state.key, None)
        instance_id = state.target.instance_id
        if _lacks_job(state):
            self._unknown.setdefault(instance_id, set()).add(state.key)
        elif instance_id in self._unknown:
            self._unknown[instance_id].discard(state.key)
            if not self._unknown[instance_id]:
                del self._unknown[instance_id]  # 250 bytes for each instance of the fleet


def given_twice(workflow_id: str) -> str:
    """What is told, as evidence, of an id that two targets were answered."""
    return f"workflow {workflow_id} was given to another target too"


def _lacks_job(state: TargetState) -> bool:
    """Whether a job of this target may be there whose id was never learned; a neighbour's doubt must not take it."""
    if state.jobs:
        return False
    return state.is_open or (state.doubtful_from is not None and state.outcome in BEGAN)
