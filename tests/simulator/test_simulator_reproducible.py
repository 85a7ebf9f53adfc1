"""The same seed gives the same world, in whatever order it is asked."""

from random import Random
from typing import Any

from fakes.virtual_cloud import VirtualCloud
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulator.chance import below, between, pick, unit


def story(seed: int, order: int, faults: str) -> dict[str, Any]:
    """Three upgrade calls for every proxy, in a random order of proxies; what each was answered and what began."""
    cloud = VirtualCloud(faults, seed=seed, instances=6, proxies=1)
    answers: dict[str, list[Any]] = {proxy.proxy_id: [] for proxy in cloud.proxies}
    for _ in range(3):
        proxies = cloud.proxies
        Random(order).shuffle(proxies)
        for proxy in proxies:
            reply = cloud.upgrade(proxy)
            shown = {name: value for name, value in reply.headers.items() if name == "Retry-After"}
            code = reply.json().get("error_code") if reply.status >= 400 and reply.body[:1] == b"{" else reply.body
            answers[proxy.proxy_id].append((reply.status, code, shown))
        cloud.wait(100)
    cloud.wait(7200)
    cloud.cloud.advance(cloud.now)
    t = cloud.now.timestamp()
    for proxy in cloud.proxies:
        jobs = [
            (job.job_id, job.fate, job.status(t), job.ends_at) for job in cloud.cloud.books.starts_of(proxy.proxy_id)
        ]
        answers[proxy.proxy_id] += [proxy.version_at(t), jobs]
    return answers


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), first=st.integers(0, 99), second=st.integers(0, 99))
def test_results_do_not_depend_on_the_order_of_requests(seed: int, first: int, second: int) -> None:
    assert story(seed, first, "harsh") == story(seed, second, "harsh")


def test_another_seed_gives_another_world() -> None:
    assert story(1, 0, "harsh") != story(2, 0, "harsh")


def test_draws_stay_in_their_bounds() -> None:
    draws = [unit(7, "purpose", number) for number in range(2000)]
    assert 0 <= min(draws) < 0.01
    assert 0.99 < max(draws) < 1
    assert all(2 <= between((2, 3), 7, number) < 3 for number in range(100))
    assert {below(3, 7, number) for number in range(100)} == {0, 1, 2}
    assert [pick({"a": 0.25, "b": 0.25}, number) for number in (0.0, 0.24, 0.25, 0.5, 0.99)] == [
        "a",
        "a",
        "b",
        None,
        None,
    ]
