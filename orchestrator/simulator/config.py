"""The settings of one simulated cloud, and the ids that it makes when none are given."""

import math
import re

import msgspec

from orchestrator.simulator.chance import hexadecimal
from orchestrator.simulator.profile import Profile
from orchestrator.simulator.profiles import SettingError

_MAX_PORT = 65_535
DEFAULT_VERSION = "2.24.03.000"
_VERSION = re.compile(r"[0-9]+(\.[0-9]+){1,7}")
_PROJECT = re.compile(r"[0-9A-Za-z]{32}")


class SimulatedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One proxy that must exist. Without a project id it is in the made-up project of its region.

    `name`, `tags`, `vpc_id` and `enterprise_project_id` are those of its instance; made from the seed when absent.
    """

    region: str
    instance_id: str
    proxy_id: str
    project_id: str | None = None
    source_version: str | None = None
    name: str | None = None
    tags: dict[str, str] | None = None
    vpc_id: str | None = None
    enterprise_project_id: str | None = None


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what happens in a simulated cloud.

    Attributes:
        seed: All chance follows from it.
        speed: Divides the durations of the world (jobs, delays, latencies); timestamps stay real.
        faults: A profile, the name of a built-in one, or the path of a YAML file.
        target_version: The newest kernel on offer.
        regions: One project each; the first takes `project_id`.
        instances: DB instances per project of a generated fleet, `proxies` Database Proxies on each.
        targets: Exactly these proxies instead of a generated fleet.
        token: Accepted as X-Auth-Token for every project; made from the seed when absent.
        user: With `password` (and `domain`, when given) accepted by IAM; likewise `access_key` with `secret_key`.
    """

    seed: int = 1
    speed: float = 1.0
    faults: Profile | str = "none"
    host: str = "127.0.0.1"
    port: int = 0
    target_version: str = DEFAULT_VERSION
    regions: tuple[str, ...] = ("cn-north-4",)
    project_id: str | None = None
    instances: int = 20
    proxies: int = 2
    targets: tuple[SimulatedTarget, ...] | None = None
    token: str | None = None
    user: str | None = None
    password: str | None = None
    domain: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    security_token: str | None = None

    def __post_init__(self) -> None:
        """Refuse settings that no cloud can have."""
        for problem in self._problems():
            raise SettingError(problem)

    def _problems(self) -> list[str]:
        checks = (
            (math.isfinite(self.speed) and self.speed > 0, f"speed: expected a number above 0, got {self.speed}"),
            (0 <= self.port <= _MAX_PORT, f"port: expected 0 to 65535, got {self.port}"),
            (self.instances >= 0, f"instances: expected 0 or more, got {self.instances}"),
            (0 <= self.proxies <= MAX_PROXIES, f"proxies: an instance has 0 to {MAX_PROXIES}, got {self.proxies}"),
            (bool(self.regions), "regions: expected at least one"),
            (bool(_VERSION.fullmatch(self.target_version)), f"target_version: not a version: {self.target_version}"),
            (
                self.project_id is None or bool(_PROJECT.fullmatch(self.project_id)),
                f"project_id: expected 32 letters and digits, got {self.project_id}",
            ),
            ((self.user is None) == (self.password is None), "user and password belong together"),
            ((self.access_key is None) == (self.secret_key is None), "access_key and secret_key belong together"),
        )
        return [problem for good, problem in checks if not good]

    def accepted_token(self) -> str:
        """The token that every call of this cloud accepts."""
        return self.token or hexadecimal(48, self.seed, "token")

    def project_ids(self) -> dict[str, str]:
        """Project ids of a generated fleet, by region."""
        made = {region: made_project_id(self.seed, region) for region in self.regions}
        if self.project_id is not None:
            made[self.regions[0]] = self.project_id
        return made


#: "At most 4 proxies per instance" (user guide taurusdb_03_0033).
MAX_PROXIES = 4


def made_project_id(seed: int, region: str) -> str:
    """The project id of a region for which none was given."""
    return hexadecimal(32, seed, "project", region)
