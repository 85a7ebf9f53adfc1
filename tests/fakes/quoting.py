"""A cloud that does its work, and quotes in every field of every answer all that it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

from fakes.e2e import NEW, OLD

#: The accepted upgrades have ids of the API's own form.
WORKFLOW = "375ac6a4-7f52-4d1b-9f3e-{:012d}"


class QuotingCloud:
    """By the number in a target's id: 0 is rejected, 1 refused, 2 fails, 3 succeeds, 4 has a version that is none.

    Attributes:
        token: what a login gets.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self._answers = count()
        self._upgraded: set[int] = set()

    def answer(self, path: str, said: str) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers."""
        headers = {"X-Request-Id": f"{next(self._answers)} {said}", "X-Subject-Token": self.token}
        end = path.partition("?")[0].rpartition("/")[2]
        if end == "tokens":
            return 201, {"token": {"who": said}}, headers
        number = _number(path)
        if end == "upgrade-version":
            return (*self._upgrade(number, said), headers)
        return 200, self._read(end, number, path, said), headers

    def _upgrade(self, number: int, said: str) -> tuple[int, Any]:
        if number == 1:
            return 400, {"error_code": f"DBS.200001 {said}", "error_msg": said}
        entry = {"instance_id": f"{number:032x}in07", "workflow_id": None, "state": "REJECT", "error_message": said}
        if number > 1:
            self._upgraded.add(number)
            entry |= {"workflow_id": WORKFLOW.format(number), "state": "ACCEPT"}
        return 200, {"update_result": [entry]}

    def _read(self, end: str, number: int, path: str, said: str) -> Any:
        match end:
            case "proxy-version":
                current = NEW if number == 3 and number in self._upgraded else OLD
                quoted = f" {said}" if number == 4 else ""
                return {"current_version": current + quoted, "latest_version": NEW + quoted, "can_upgrade": True}
            case "proxies":
                status = "ACTIVE" if number == 3 else f"BROKEN {said}"
                nodes = [{"status": status, "name": said}]
                return {"proxy_list": [{"pool_id": f"{number:032x}po01", "status": status, "nodes": nodes}]}
            case "jobs":
                workflow = path.partition("id=")[2]
                status = "Completed" if workflow == WORKFLOW.format(3) else "Failed"
                job = {"job_id": workflow, "job_name": said, "status": status, "process": said, "extra": said}
                return {"job": {**job, "fail_reason": said, "ended": datetime.now(UTC).isoformat()}}
            case "immediate-jobs":
                job = {"job_id": f"other {said}", "job_name": said, "status": said, "instance_id": said, "more": said}
                return {"jobs": [job], "total_count": 1}
            case _:  # lists of instances and their details
                proxies = [{"pool_id": f"{number:032x}po01", "name": said} for number in range(5)]
                row = {"id": f"{0:032x}in07", "name": said, "status": said, "proxies": proxies, "tags": [{"key": said}]}
                return {"instances": [row], "total_count": 1}


def _number(path: str) -> int:
    _, found, rest = path.partition("/instances/")
    return int(rest[:32], 16) if found and len(rest) > 32 and rest[32:34] == "in" else 0


def _handler(cloud: QuotingCloud) -> type[BaseHTTPRequestHandler]:
    class Quoting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            said = " ".join(f"{self.requestline} {self.headers} {asked}".split())
            status, body, headers = cloud.answer(self.path, said)
            data = json.dumps(body).encode()
            self.send_response(status, said)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # it was not waited for
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Quoting


@contextmanager
def quoting_cloud(token: str) -> Iterator[str]:
    """The address of such a cloud."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(QuotingCloud(token)))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
