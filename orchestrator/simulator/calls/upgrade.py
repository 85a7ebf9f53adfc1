"""upgrade-version: what is checked, what is refused, what is rejected inside a 200, and what starts.

Sources: help page UpgradeProxyVersion (body, ids, the two-entry example), the error list of the same guide, and what
the Terraform provider's acceptance test saw ("Parameter error" for a version that is not on offer). That the source
version is compared with the running one is an assumption; nothing says so.
"""

from typing import Any

import msgspec

from orchestrator.simulator.chance import dashed
from orchestrator.simulator.wire import Refusal, Reply, answer
from orchestrator.simulator.world.books import UpgradeCall
from orchestrator.simulator.world.jobs import JobPlanner
from orchestrator.simulator.world.subnets import Subnets
from orchestrator.simulator.world.versions import key
from orchestrator.simulator.world.world import Job, Proxy

#: The first one is word for word from the official example.
REJECT_REASONS = (
    "Upgrade failed due to insufficient subnet ip",
    "The proxy version does not support the upgrade",
    "The proxy instance status is abnormal",
    "The number of proxy nodes exceeds the quota",
)
REFUSALS = (
    (400, "DBS.05000020", "The subnet does not have enough free IP addresses. Needed: 4. Left: 1."),
    (400, "DBS.280449", "The object is frozen."),
    (409, "DBS.200316", "The storage space of the DB instance is full."),
)
BUSY = (
    (409, "DBS.200019", "Another operation is being performed on the DB instance or the DB instance is faulty."),
    (409, "DBS.200047", "Another operation is being performed on the DB instance."),
    (400, "DBS.201014", "This operation is not allowed in the current state of the DB instance."),
    (403, "DBS.212033", "The DB instance is being operated on."),
    (409, "DBS.201205", "A backup is being created for the DB instance."),
)


class _Body(msgspec.Struct, frozen=True):
    source_version: str
    target_version: str


class Upgrades:
    """Judges upgrade-version calls and starts the upgrades."""

    def __init__(self, planner: JobPlanner, seed: int) -> None:
        self._planner = planner
        self._seed = seed
        self.subnets: Subnets | None = None

    def perform(self, proxy: Proxy, body: bytes, call: UpgradeCall, t: float, shape: str | None = None) -> Reply:
        """Judge one call at an instant; an upgrade that starts is entered in the call.

        `shape` is the fault that twists the form of an accepting answer.

        Raises:
            Refusal: nothing was started.
        """
        wanted = _decoded(body)
        if proxy.instance.running_job(t) is not None:
            raise Refusal(*BUSY[0])
        _check_versions(proxy, wanted, t)
        if proxy.role == "refused":
            raise Refusal(*REFUSALS[proxy.variant % len(REFUSALS)])
        workflow_id = self.workflow_id(call)
        if proxy.role == "rejected":
            return rejection(workflow_id, proxy.variant)
        if self.subnets is not None and self.subnets.refuse(proxy, t):
            return rejection(workflow_id, 0)
        call.job = self._planner.start_upgrade(proxy, wanted.target_version, workflow_id, t)
        return answer({"update_result": self._entries(call.job, call, shape or proxy.role)})

    def workflow_id(self, call: UpgradeCall, entry: int = 0) -> str:
        """The id that an answer to this call names in its nth entry, whether or not anything starts."""
        return dashed(self._seed, "workflow", call.proxy_id, call.number, entry)

    def _entries(self, job: Job, call: UpgradeCall, shape: str | None) -> list[dict[str, Any]]:
        accepted = entry(job.job_id)
        second = self.workflow_id(call, 1)
        match shape:
            case "accept_and_reject":
                entries = [accepted, entry(second, "REJECT", REJECT_REASONS[0])]
            case "two_accepted":
                entries = [accepted, entry(self._planner.twin(job, second).job_id)]
            case "accept_without_id":
                entries = [{"state": "ACCEPT", "error_message": None}]
            case "job_id_instead":
                entries = [{"job_id": job.job_id, "state": "ACCEPT", "error_message": None}]
            case "unknown_state":
                entries = [entry(job.job_id, "QUEUED")]
            case "empty_result":
                entries = []
            case _:
                entries = [accepted]
        return entries


def entry(workflow_id: str, state: str = "ACCEPT", message: str | None = None) -> dict[str, Any]:
    """One entry of `update_result`, without the instance_id, as in the official example."""
    return {"workflow_id": workflow_id, "state": state, "error_message": message}


def rejection(workflow_id: str, variant: int) -> Reply:
    """A REJECT inside a 200. Its workflow_id names no job."""
    reason = REJECT_REASONS[variant % len(REJECT_REASONS)]
    return answer({"update_result": [entry(workflow_id, "REJECT", reason)]})


def _decoded(body: bytes) -> _Body:
    if not body:
        raise Refusal(400, "DBS.200006", "The request is empty.")
    try:
        return msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "DBS.200001", "Parameter error.") from error


def _check_versions(proxy: Proxy, wanted: _Body, t: float) -> None:
    source, target = key(wanted.source_version), key(wanted.target_version)
    latest, current = key(proxy.latest_version) or (), key(proxy.version_at(t)) or ()
    if source is None or target is None or target < source or target > latest:
        raise Refusal(400, "DBS.200001", "Parameter error.")
    if current >= latest:
        raise Refusal(400, "DBS.05000008", "The proxy is already of the latest version.")
    if source != current or proxy.role == "not_upgradable":
        raise Refusal(400, "DBS.200001", "Parameter error.")
