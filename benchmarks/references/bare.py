"""The reference: a bare, plain aiohttp loop that makes the same calls as a run, with no plan, limit, journal or report.

Usage: bare.py PORT TARGETS CONCURRENCY [own]. With `own`, each upgrade has a connection of its own, as in the program.
"""

import asyncio
import sys
from collections.abc import Iterator

import aiohttp

PROJECT = "a" * 32


async def worker(session: aiohttp.ClientSession, base: str, numbers: Iterator[int], *, own: bool) -> None:
    """Read the version of each proxy and send its upgrade."""
    close = {"Connection": "close"} if own else {}
    for number in numbers:
        url = f"{base}/v3/{PROJECT}/instances/{number:032x}in07/proxy/{number:032x}po01"
        async with session.get(f"{url}/taurusproxy/proxy-version") as answer:
            version = await answer.json()
        body = {"source_version": version["current_version"], "target_version": "2.24.03.000"}
        async with session.post(f"{url}/upgrade-version", json=body, headers=close) as answer:
            await answer.json()


async def main() -> None:
    port, targets, concurrency = map(int, sys.argv[1:4])
    numbers = iter(range(targets))
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers={"X-Auth-Token": "t"}) as session:
        base, own = f"http://127.0.0.1:{port}", "own" in sys.argv[4:]
        await asyncio.gather(*(worker(session, base, numbers, own=own) for _ in range(concurrency)))


if __name__ == "__main__":
    if "uvloop" in sys.argv[4:]:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
