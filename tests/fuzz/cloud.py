"""A small cloud with books of its own: what each call really did, and what a truthful answer says.

It decides nothing for the program: a second upgrade call starts a second upgrade, and the books say so.
"""

import json
import random
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs

from fuzz.virtual import Times

PROJECT = "054e292c9880d4992f02c0196d3ea468"
OLD, NEW = "2.23.12.000", "2.24.03.000"

#: The calls, by what they ask for.
Kind: TypeAlias = Literal["upgrade", "version", "job", "jobs", "proxies", "other"]
KINDS: tuple[Kind, ...] = ("upgrade", "version", "job", "jobs", "proxies")

_UPGRADE = re.compile(r"/instances/(\w+)/proxy/(\w+)/upgrade-version$")
_VERSION = re.compile(r"/instances/(\w+)/proxy/(\w+)/taurusproxy/proxy-version$")
_PROXIES = re.compile(r"/instances/(\w+)/proxies$")

#: Rows of one page of the list of jobs.
_PAGE = 50


@dataclass
class Job:
    """An upgrade that began."""

    workflow_id: str
    began_s: float
    visible_s: float
    ends_s: float


@dataclass
class Proxy:
    """A proxy, and everything that was done to it.

    Attributes:
        calls: upgrade calls that arrived.
        handed: workflow ids that an undamaged answer to such a call named.
        next_id: of the upgrade that the present call starts.
        denied: the cloud once started an upgrade, and said that it did not.
    """

    instance_id: str
    proxy_id: str
    jobs: list[Job] = field(default_factory=list)
    calls: int = 0
    handed: list[str] = field(default_factory=list)
    next_id: str = ""
    denied: bool = False


@dataclass(frozen=True)
class Asked:
    """One request, and which proxy it is about, if it is about one."""

    kind: Kind
    method: str
    target: str
    body: bytes
    proxy: Proxy | None


class Cloud:
    """So many proxies, each on an instance of its own."""

    def __init__(self, count: int, times: Times, rng: random.Random) -> None:
        self.proxies = [Proxy(f"{number:032x}in07", f"{number:032x}po01") for number in range(1, count + 1)]
        self._times = times
        self._rng = rng

    def read(self, method: str, target: str, body: bytes) -> Asked:
        """What a request asks for."""
        path, _, query = target.partition("?")
        for kind, form in (("upgrade", _UPGRADE), ("version", _VERSION), ("proxies", _PROXIES)):
            if found := form.search(path):
                instance_id = found[1]
                proxy = next((each for each in self.proxies if each.instance_id == instance_id), None)
                return Asked(kind, method, target, body, proxy)  # type: ignore[arg-type]  # a literal of the tuple
        if path.endswith("/immediate-jobs"):
            return Asked("jobs", method, target, body, None)
        if path.endswith("/jobs"):
            return Asked("job", method, target, body, self._of_job(parse_qs(query).get("id", [""])[0]))
        return Asked("other", method, target, body, None)

    def _of_job(self, workflow_id: str) -> Proxy | None:
        return next((each for each in self.proxies for job in each.jobs if job.workflow_id == workflow_id), None)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body of the truth; says what an upgrade call would start, and starts nothing."""
        match asked.kind:
            case "version" if asked.proxy:
                return 200, self._version(asked.proxy)
            case "proxies" if asked.proxy:
                return 200, self._listed(asked.proxy)
            case "job" if asked.proxy:
                return self._job(asked)
            case "jobs":
                return 200, self._page(asked.target)
            case _:
                return 404, {"error_code": "DBS.200408", "error_msg": "The DB instance does not exist."}

    def new_id(self) -> str:
        """The id of an upgrade that may start."""
        return str(uuid.UUID(int=self._rng.getrandbits(128)))

    def start(self, proxy: Proxy) -> None:
        """Start an upgrade, whatever is under way."""
        now_s = self._times.passed_s
        job = Job(
            workflow_id=proxy.next_id,
            began_s=now_s,
            visible_s=now_s + self._rng.choice((0.0, 10.0, 60.0)),
            ends_s=now_s + self._rng.uniform(20, 600),
        )
        proxy.jobs.append(job)

    def accepted(self, proxy: Proxy, workflow_id: str) -> dict[str, Any]:
        """The body that says so."""
        entry = {"instance_id": proxy.instance_id, "workflow_id": workflow_id, "state": "ACCEPT"}
        return {"update_result": [{**entry, "error_message": ""}]}

    def upgraded(self, proxy: Proxy) -> bool:
        """Whether it runs the new version."""
        return any(job.ends_s <= self._times.passed_s for job in proxy.jobs)

    def runs(self, proxy: Proxy) -> bool:
        """Whether an upgrade is under way."""
        return any(job.ends_s > self._times.passed_s for job in proxy.jobs)

    def _version(self, proxy: Proxy) -> dict[str, Any]:
        done = self.upgraded(proxy)
        return {"current_version": NEW if done else OLD, "latest_version": NEW, "can_upgrade": not done}

    def _listed(self, proxy: Proxy) -> dict[str, Any]:
        nodes = [{"id": f"{number:032x}pn01", "status": "ACTIVE", "role": "master"} for number in range(2)]
        inner = {"pool_id": proxy.proxy_id, "status": "ACTIVE", "pool_status": "ACTIVE", "node_num": 2, "nodes": nodes}
        return {"proxy_list": [{"proxy": inner, "master_node": {}, "readonly_nodes": []}]}

    def _job(self, asked: Asked) -> tuple[int, Any]:
        named = parse_qs(asked.target.partition("?")[2])["id"][0]
        proxy = asked.proxy
        job = next((each for each in proxy.jobs if each.workflow_id == named), None) if proxy else None
        if proxy is None or job is None or job.visible_s > self._times.passed_s:
            return 400, {"error_code": "DBS.200543", "error_msg": "The job does not exist."}
        row = self._row(proxy, job)
        shown = {"id": row["job_id"], "name": row["job_name"], "instance": {"id": proxy.instance_id, "name": "orders"}}
        return 200, {"job": {**row, **shown, "created": row["created_time"], "ended": row["ended_time"]}}

    def _page(self, target: str) -> dict[str, Any]:
        query = parse_qs(target.partition("?")[2])
        wanted = query.get("status", [None])[0]
        rows = [
            row
            for proxy in self.proxies
            for job in proxy.jobs
            if job.visible_s <= self._times.passed_s
            for row in [self._row(proxy, job)]
            if wanted in (None, row["status"])
        ]
        offset = int(query.get("offset", ["0"])[0])
        return {"total_count": len(rows), "jobs": rows[offset : offset + _PAGE], "action_names": []}

    def _row(self, proxy: Proxy, job: Job) -> dict[str, Any]:
        ended = job.ends_s <= self._times.passed_s
        return {
            "instance_id": proxy.instance_id,
            "instance_name": "orders",
            "job_id": job.workflow_id,
            "job_name": "UpgradeProxy",
            "status": "Completed" if ended else "Running",
            "process": "" if ended else "60%",
            "created_time": self._stamp(job.began_s),
            "ended_time": self._stamp(job.ends_s) if ended else "",
            "fail_reason": None,
            "extend_fields": {"proxy_id": proxy.proxy_id},
        }

    def _stamp(self, at_s: float) -> str:
        return stamp(self._times.cloud() + timedelta(seconds=at_s - self._times.passed_s))


def stamp(at: datetime) -> str:
    """An instant as the cloud writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def encoded(value: Any) -> bytes:
    """A body, with whatever Python can write down."""
    return json.dumps(value).encode("utf-8", "surrogatepass")
