"""Instances and proxies as the API shows them. Everything that does not matter is made from the seed and the ids.

Fields: huaweicloudsdkgaussdb `mysql_instance_list_info*.py`, `mysql_instance_info_detail*.py`, `mysql_proxy_v3.py`,
`mysql_show_proxy_response_v3.py`. Types that the official examples give otherwise than declared come out either way.
"""

from datetime import UTC, datetime
from typing import Any

from orchestrator.simulator.chance import below, hexadecimal, unit
from orchestrator.simulator.world.moments import stamp
from orchestrator.simulator.world.world import Instance, Proxy

_CREATED = datetime(2024, 1, 8, 3, 0, tzinfo=UTC).timestamp()
_APPS = ("billing", "orders", "search", "stock", "users")
_ZONES = ("az1", "az2", "az3")
_NAME_DIGITS = 4


class Views:
    """Shows a world made from one seed."""

    def __init__(self, seed: int, *, odd_types: float, status_while_upgrading: str) -> None:
        self._seed = seed
        self._odd_types = odd_types
        self._busy_status = status_while_upgrading

    def name(self, instance: Instance) -> str:
        """`orders-prod-0007`."""
        return instance.name or f"{self.app(instance)}-{self._env(instance)}-{instance.ordinal:0{_NAME_DIGITS}d}"

    def app(self, instance: Instance) -> str:
        """The application that the instance serves; also one of its tags."""
        return _APPS[below(len(_APPS), self._seed, "app", instance.instance_id)]

    def tags(self, instance: Instance) -> dict[str, str]:
        """Its tags."""
        return instance.tags if instance.tags is not None else {"env": self._env(instance), "app": self.app(instance)}

    def vpc_id(self, instance: Instance) -> str:
        """One of three networks per project."""
        if instance.vpc_id is not None:
            return instance.vpc_id
        number = below(3, self._seed, "vpc", instance.instance_id)
        digits = hexadecimal(32, self._seed, "vpc", instance.project.project_id, number)
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def proxy_address(self, proxy: Proxy) -> str:
        """The address that applications connect to."""
        number = below(65_000, self._seed, "address", proxy.proxy_id)
        return f"10.1.{number // 254 % 256}.{1 + number % 254}"

    def maintenance_window(self, instance: Instance) -> str:
        """Four whole hours, UTC, as in `18:00-22:00`."""
        start = (18, 18, 16, 20, 22, 2)[below(6, self._seed, "window", instance.instance_id)]
        return f"{start:02d}:00-{(start + 4) % 24:02d}:00"

    def listed(self, instance: Instance, version: str) -> dict[str, Any]:
        """A row of the instance list."""
        seen_v31 = version == "v3.1"
        row = {
            "id": instance.instance_id,
            "name": self.name(instance),
            "status": "normal" if seen_v31 else "ACTIVE",
            "private_ips": [self.private_ip(instance)],
            "proxy_ips": [self.proxy_address(proxy) for proxy in instance.proxies],
            "readonly_private_ips": [],
            "public_ips": [],
            "port": "3306",
            "type": "Cluster",
            "region": instance.project.region,
            "datastore": {"type": "gaussdb-mysql", "version": "8.0.22", "kernel_version": "2.0.66.250600"},
            "created": stamp(_CREATED + 3600 * instance.ordinal),
            "updated": stamp(_CREATED + 3600 * instance.ordinal),
            "db_user_name": "root",
            "vpc_id": self.vpc_id(instance),
            "subnet_id": self.subnet_id(instance),
            "enterprise_project_id": self.enterprise_project_id(instance),
            "time_zone": "UTC+08:00",
            "tags": [{"key": name, "value": value} for name, value in self.tags(instance).items()],
        }
        return {**row, "eos_tag": False} if seen_v31 else row

    def detailed(self, instance: Instance, version: str, *, twice: bool) -> dict[str, Any]:
        """An instance with its proxies and its maintenance window."""
        proxies = [
            {"pool_id": proxy.proxy_id, "name": self.proxy_name(proxy), "address": self.proxy_address(proxy)}
            for proxy in instance.proxies
        ]
        return {
            **self.listed(instance, version),
            "project_id": instance.project.project_id,
            "alias": "",
            "node_count": 2,
            "nodes": [],
            "az_mode": "multi",
            "master_az_code": _ZONES[0],
            "maintenance_window": self.maintenance_window(instance),
            "proxies": proxies + proxies[:1] if twice else proxies,
        }

    def private_ip(self, instance: Instance) -> str:
        """The address of the instance itself."""
        number = below(65_000, self._seed, "private", instance.instance_id)
        return f"10.2.{number // 254 % 256}.{1 + number % 254}"

    def subnet_id(self, instance: Instance) -> str:
        """The subnet of the instance and of its proxies."""
        return hexadecimal(32, self._seed, "subnet", self.vpc_id(instance))

    def enterprise_project_id(self, instance: Instance) -> str:
        """`0` is the default enterprise project."""
        if instance.enterprise_project_id is not None:
            return instance.enterprise_project_id
        other = hexadecimal(32, self._seed, "enterprise_project", instance.project.project_id)
        return other if unit(self._seed, "enterprise_project", instance.instance_id) < 0.3 else "0"  # noqa: PLR2004

    def node_id(self, proxy: Proxy, number: int) -> str:
        """Of the nth node of a proxy; it stays through upgrades."""
        return hexadecimal(32, self._seed, "proxy_node", proxy.proxy_id, number) + "pn01"

    def proxy_name(self, proxy: Proxy) -> str:
        """`proxy-0007-1`."""
        return f"proxy-{proxy.instance.ordinal:0{_NAME_DIGITS}d}-{proxy.ordinal}"

    def proxy_entry(self, proxy: Proxy, t: float) -> dict[str, Any]:
        """An entry of `proxy_list`."""
        odd = unit(self._seed, "odd_types", proxy.instance.instance_id) < self._odd_types
        master, reader = (self._db_node(proxy.instance, number) for number in (0, 1))
        return {
            "proxy": self._proxy(proxy, t, odd=odd),
            "master_node": master,
            "readonly_nodes": reader if odd else [reader],
            "htap_nodes": [],
        }

    def _proxy(self, proxy: Proxy, t: float, *, odd: bool) -> dict[str, Any]:
        job = proxy.instance.running_job(t)
        upgrading = job is not None and job.proxy is proxy
        status = "ABNORMAL" if not proxy.healthy(t) else self._busy_status if upgrading else "ACTIVE"
        return {
            "pool_id": proxy.proxy_id,
            "name": self.proxy_name(proxy),
            "status": status,
            "pool_status": "ACTIVE" if proxy.healthy(t) else "ABNORMAL",
            "address": self.proxy_address(proxy),
            "port": 3306,
            "elb_vip": "",
            "eip": "",
            "delay_threshold_in_seconds": 0,
            "vcpus": 4 if odd else "4",
            "ram": 8 if odd else "8",
            "node_num": proxy.node_num,
            "type": "readwrite",
            "mode": "Cluster",
            "nodes": self._nodes(proxy, t),
            "flavor_ref": "gaussdb.proxy.xlarge.x86.2",
            "transaction_split": False if odd else "false",
            "connection_pool_type": "CLOSED",
            "route_mode": 0,
            "consistence_mode": "eventual",
            "subnet_id": self.subnet_id(proxy.instance),
            "new_node_auto_add_status": "OFF",
            "new_node_weight": 100,
        }

    def _nodes(self, proxy: Proxy, t: float) -> list[dict[str, Any]]:
        sick = not proxy.healthy(t)
        return [
            {
                "id": self.node_id(proxy, number),
                "name": f"{self.proxy_name(proxy)}_{number}",
                "role": "slave" if number else "master",
                "az_code": _ZONES[number % len(_ZONES)],
                "status": "ABNORMAL" if sick and number == proxy.node_num - 1 else "ACTIVE",
                "frozen_flag": 0,
            }
            for number in range(proxy.node_num)
        ]

    def _db_node(self, instance: Instance, number: int) -> dict[str, Any]:
        return {
            "id": hexadecimal(32, self._seed, "db_node", instance.instance_id, number) + "no07",
            "instance_id": instance.instance_id,
            "status": "ACTIVE",
            "name": f"node{number + 1:02d}",
            "weight": 100 * number,
            "availability_zone": [{"code": _ZONES[number], "description": _ZONES[number].upper()}],
        }

    def _env(self, instance: Instance) -> str:
        return "prod" if unit(self._seed, "env", instance.instance_id) < 0.75 else "test"  # noqa: PLR2004 - a share
