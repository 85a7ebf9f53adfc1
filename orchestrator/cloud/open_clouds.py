"""One client for each scope of a plan, over one session of HTTP."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from orchestrator.cloud.caller import Caller, fits_path
from orchestrator.cloud.client import Client
from orchestrator.cloud.cloud_eye import CloudEyeClient
from orchestrator.cloud.credentials import METADATA, Secrets, World, source_for
from orchestrator.cloud.credentials.renewal import Renewal
from orchestrator.cloud.secrets.secret import HiddenEnvironment
from orchestrator.cloud.stamp import plain_headers
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.endpoints import Endpoints, endpoints_of, eye_address
from orchestrator.cloud.wire.transport import open_transport
from orchestrator.errors import PlanError
from orchestrator.model.plan.metric import CloudEye
from orchestrator.model.plan.plan import Http, Scope


@asynccontextmanager
async def open_clouds(
    scopes: Sequence[Scope],
    *,
    http: Http,
    language: str,
    connections: int,
    environ: Mapping[str, str],
    clock: TimeSource,
    metadata: str = METADATA,
    secrets: Secrets | None = None,
    eye: CloudEye | None = None,
) -> AsyncIterator[Mapping[str, Client]]:
    """A client for each scope, by its name, over one session that ends with the block. Makes no request itself.

    Args:
        scopes: of the plan.
        http: time-outs and trust.
        language: `X-Language`.
        connections: most calls under way at once to one host, of any kind; one more waits for its connection.
        environ: the environment, the only one that is looked at.
        clock: for signatures, durations and expiry.
        metadata: base address of the ECS metadata service.
        secrets: learns what the clients get, and has what they hid in what the cloud says; None for their own.
        eye: how metrics are read; None when nobody will.

    Raises:
        PlanError: an unknown region, a malformed address or project id, an unreadable `http.ca_file`.
        ScopeUnusable: the environment names a proxy that is none.
    """
    environ = HiddenEnvironment(environ)
    places = {scope.name: endpoints_of(scope, environ, allow_http=http.allow_http) for scope in scopes}
    known = Secrets() if secrets is None else secrets
    async with open_transport(http, connections=connections, environ=environ, clock=clock, secrets=known) as transport:
        plain = plain_headers(language)
        world = World(
            transport=transport,
            environ=environ,
            clock=clock,
            headers=plain,
            metadata=metadata,
            command_timeout_s=http.timeout_s,
            secrets=known,
        )
        yield {scope.name: _client(scope, places[scope.name], world, http, eye) for scope in scopes}


def _client(scope: Scope, places: Endpoints, world: World, http: Http, eye: CloudEye | None) -> Client:
    if scope.project_id is not None and not fits_path(scope.project_id):
        raise PlanError(f"scope {scope.name}: project_id: not an id: {scope.project_id[:80]!r}")
    renewal = Renewal(source_for(scope, places.iam, world), world.clock, world.secrets)
    client = Client(_caller(scope, places.service, places.iam, renewal, world))
    if eye is not None:
        where = eye_address(scope, eye, allow_http=http.allow_http)
        client.eye = CloudEyeClient(_caller(scope, where, places.iam, renewal, world), client, eye.namespace)
    if places.vpc is not None:
        client.vpc = _caller(scope, places.vpc, places.iam, renewal, world)
    return client


def _caller(scope: Scope, service: str, iam: str, renewal: Renewal, world: World) -> Caller:
    transport = world.transport
    return Caller(
        project_id=scope.project_id,
        region=scope.region,
        transport=transport,
        routes=(transport.route(service), transport.route(iam)),
        renewal=renewal,
        plain=world.headers,
        clock=world.clock,
        secrets=world.secrets,
    )
