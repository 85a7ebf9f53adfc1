"""IAM and the metadata service: tokens by password, projects by name, temporary keys for a machine with an agency.

Sources: IAM pages "obtaining a user token through password authentication" and "querying project information based on
the specified criteria"; huaweicloudsdkcore `auth/internal.py` for the metadata service.
"""

from typing import Any

import msgspec

from orchestrator.simulator.calls.auth import Keyring, Token
from orchestrator.simulator.chance import hexadecimal
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.wire import Reply, Request, answer, iam_error
from orchestrator.simulator.world.moments import fine_stamp
from orchestrator.simulator.world.world import Project, World

_MAX_PER_PAGE = 5000


class _Named(msgspec.Struct, frozen=True):
    id: str | None = None
    name: str | None = None


class _User(msgspec.Struct, frozen=True):
    password: str
    name: str | None = None
    id: str | None = None
    domain: _Named = _Named()


class _Password(msgspec.Struct, frozen=True):
    user: _User


class _Identity(msgspec.Struct, frozen=True):
    methods: list[str]
    password: _Password


class _Scope(msgspec.Struct, frozen=True):
    project: _Named | None = None
    domain: _Named | None = None


class _Auth(msgspec.Struct, frozen=True):
    identity: _Identity
    scope: _Scope = _Scope()


class _Login(msgspec.Struct, frozen=True):
    auth: _Auth


class Iam:
    """Answers the calls that have to do with identity."""

    def __init__(self, config: SimulatorConfig, world: World, keyring: Keyring, skew_s: float) -> None:
        self._config = config
        self._world = world
        self._keyring = keyring
        self._skew_s = skew_s
        self._metadata_tokens: set[str] = set()

    def log_in(self, request: Request, t: float) -> Reply:
        """POST /v3/auth/tokens: 201 with the token in X-Subject-Token."""
        try:
            login = msgspec.json.decode(request.body, type=_Login).auth
        except (msgspec.DecodeError, UnicodeDecodeError):
            return iam_error(400, "Bad Request", "The request body is invalid.")
        if login.identity.methods != ["password"]:
            return iam_error(400, "Bad Request", "The authentication method is not supported.")
        if not self._known(login.identity.password.user):
            return iam_error(401, "Unauthorized", "The username or password is wrong.")
        if login.scope.project is None:
            return iam_error(400, "Bad Request", "A scope of a project is required.")
        project = self._project(login.scope.project)
        if project is None:
            return iam_error(404, "Not Found", "Could not find the project.")
        text, token = self._keyring.issue_token(project.project_id, t)
        body = {"token": self._token(token, project, login.identity.password.user, t)}
        return answer(body, status=201, headers={"X-Subject-Token": text})

    def projects(self, request: Request) -> Reply:
        """GET /v3/projects: the projects of this name (or all), page by page."""
        query = dict(request.pairs())
        found = [project for project in self._world.projects.values() if _asked_for(project, query)]
        if ("page" in query) != ("per_page" in query):
            return iam_error(400, "Bad Request", "page and per_page must be given together.")
        if "page" in query:
            page, size = query["page"], query["per_page"]
            if not (page.isdigit() and size.isdigit() and int(page) > 0 and 0 < int(size) <= _MAX_PER_PAGE):
                return iam_error(400, "Bad Request", "page or per_page is out of range.")
            found = found[(int(page) - 1) * int(size) : int(page) * int(size)]
        links = {"self": "/v3/projects", "previous": None, "next": None}
        return answer({"projects": [self._project_row(project) for project in found], "links": links})

    def metadata_token(self, request: Request) -> Reply:
        """PUT /meta-data/latest/api/token: a session token as plain text."""
        if not request.headers.get("x-metadata-token-ttl-seconds", "").isdigit():
            return Reply(status=400, body=b"Bad Request", content_type="text/plain")
        token = hexadecimal(56, self._config.seed, "metadata", len(self._metadata_tokens))
        self._metadata_tokens.add(token)
        return Reply(status=200, body=token.encode(), content_type="text/plain")

    def security_key(self, request: Request, t: float) -> Reply:
        """GET /openstack/latest/securitykey: temporary keys; with a session token when one is shown."""
        shown = request.headers.get("x-metadata-token")
        if shown is not None and shown not in self._metadata_tokens:
            return Reply(status=401, body=b"Unauthorized", content_type="text/plain")
        access_key, key = self._keyring.issue_key(t)
        credential = {
            "access": access_key,
            "secret": key.secret_key,
            "securitytoken": key.security_token,
            "expires_at": fine_stamp((key.expires_at or t) + self._skew_s),
        }
        return answer({"credential": credential})

    def _known(self, user: _User) -> bool:
        config = self._config
        if config.user is None or (user.name, user.password) != (config.user, config.password):
            return False
        return config.domain is None or user.domain.name == config.domain

    def _project(self, wanted: _Named) -> Project | None:
        if wanted.id is not None:
            return self._world.projects.get(wanted.id)
        return next((project for project in self._world.projects.values() if project.region == wanted.name), None)

    def _token(self, token: Token, project: Project, user: _User, t: float) -> dict[str, Any]:
        domain = {"id": self._domain_id(), "name": user.domain.name or "simulated"}
        return {
            "expires_at": fine_stamp((token.expires_at or t) + self._skew_s),
            "issued_at": fine_stamp(t + self._skew_s),
            "methods": ["password"],
            "project": {"id": project.project_id, "name": project.region, "domain": domain},
            "user": {"id": hexadecimal(32, self._config.seed, "user"), "name": user.name, "domain": domain},
            "roles": [{"id": "0", "name": "te_admin"}],
            "catalog": [],
        }

    def _project_row(self, project: Project) -> dict[str, Any]:
        return {
            "id": project.project_id,
            "name": project.region,
            "domain_id": self._domain_id(),
            "parent_id": self._domain_id(),
            "enabled": True,
            "is_domain": False,
            "description": "",
            "links": {"self": f"/v3/projects/{project.project_id}"},
        }

    def _domain_id(self) -> str:
        return hexadecimal(32, self._config.seed, "domain")


def _asked_for(project: Project, query: dict[str, str]) -> bool:
    return query.get("name", project.region) == project.region and query.get("enabled", "true").lower() == "true"
