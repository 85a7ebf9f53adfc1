"""The reference: a bare, plain aiohttp loop that makes the same calls as a run, with no plan, limit, journal or report.

Usage: bare.py PORT TARGETS CONCURRENCY. Prints calls per second.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import aiohttp

PROJECT = "a" * 32


async def worker(session: aiohttp.ClientSession, base: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        url = f"{base}/v3/{PROJECT}/instances/{number:032x}in07/proxy/{number:032x}po01"
        async with session.get(f"{url}/taurusproxy/proxy-version") as answer:
            version = await answer.json()
        body = {"source_version": version["current_version"], "target_version": "2.24.03.000"}
        async with session.post(f"{url}/upgrade-version", json=body) as answer:
            await answer.json()


async def main() -> None:
    port, targets, concurrency = map(int, sys.argv[1:4])
    numbers = iter(range(targets))
    connector = aiohttp.TCPConnector(limit=concurrency)
    began = time.monotonic()
    async with aiohttp.ClientSession(connector=connector, headers={"X-Auth-Token": "t"}) as session:
        base = f"http://127.0.0.1:{port}"
        await asyncio.gather(*(worker(session, base, numbers) for _ in range(concurrency)))
    print(2 * targets / (time.monotonic() - began))


if __name__ == "__main__":
    asyncio.run(main())
