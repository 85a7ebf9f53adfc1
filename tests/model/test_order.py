"""The order within a wave never changes: runs that are under way depend on it."""

import subprocess
import sys
from itertools import pairwise

from orchestrator.model.plan.order import order_key

PROXY = "0f46fc46396e4fb19a0cb52f578e9511po01"


def test_the_key_of_the_vector() -> None:
    assert order_key("prod-proxies", PROXY).hex() == "2977209332268ed4"


def test_fleets_and_proxies_are_told_apart() -> None:
    keys = {order_key(fleet, proxy) for fleet in ("a", "ab") for proxy in ("bc", "c")}
    assert len(keys) == 4


def test_another_process_finds_the_same_key() -> None:
    code = f"from orchestrator.model.plan.order import order_key; print(order_key('prod-proxies', {PROXY!r}).hex())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == order_key("prod-proxies", PROXY).hex()


def test_neighbours_are_scattered() -> None:
    names = [f"{number:032x}po01" for number in range(1000)]
    order = sorted(range(1000), key=lambda number: order_key("fleet", names[number]))
    near = sum(abs(one - other) <= 2 for one, other in pairwise(order))
    assert near < 20
