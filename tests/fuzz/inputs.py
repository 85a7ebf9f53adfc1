"""Trials of what comes from the host: a plan, its inventories, the environment, and a few command lines in a row.

Whatever they hold, each command line ends with an exit code that says what is wrong, and shows no secret.
"""

import random
import shutil
import tempfile
from pathlib import Path

from fuzz.cloud import Cloud
from fuzz.odd_texts import COMMANDS, ODD, VARIABLES, inventories, plan_text, spoiled
from fuzz.server import Server
from fuzz.virtual import Ended, Times, session

#: No command line takes longer, in virtual seconds.
_PATIENCE_S = 100 * 3600.0

#: Everything but an internal error.
_CODES = (0, 1, 2, 3, 4, 5, 6, 7, 8)

_MOST_CPU_S = 5.0


def try_one(seed: int, index: int) -> str | None:
    """Play one trial; what was broken, with the command that plays it again."""
    rng, folder = random.Random(f"{seed}/{index}/inputs"), Path(tempfile.mkdtemp(prefix="fuzz-"))
    times, secret = Times(), rng.randbytes(20).hex()
    cloud = Cloud(2, times, rng)
    server = Server(cloud, times, (), (secret.encode(),))
    try:
        environ = _desk(folder, cloud, server, rng, secret)
        commands = [_command(rng, cloud) for _ in range(rng.choice((1, 2, 3)))]
        for words in commands:
            times.deadline_s = times.passed_s + _PATIENCE_S
            ended = session(words, times, environ, server.listen, folder)
            if broken := _broken(ended, folder, secret):
                again = f"replay: make fuzz SEED={seed} INDEX={index} INPUTS=1"
                return f"{again}\n  {words!r:.600}\n  broken: {broken}\n  {_unusual(environ)}"
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)
    return None


def _desk(folder: Path, cloud: Cloud, server: Server, rng: random.Random, secret: str) -> dict[str, str]:
    """A folder with a plan and inventories, and an environment; one of them is odd, or a few."""
    files = {"plan.yaml": plan_text(cloud.proxies, server.url), **dict(inventories(rng))}
    for name in rng.choices((*files, None, None), k=rng.choice((1, 1, 2))):
        if name is not None:
            files[name] = spoiled(files[name], rng)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape" if "\ud800" not in text else "replace"))
    environ = {"HOME": str(folder), "USER": "tester", "HW_AUTH_TOKEN": secret, "ORCHESTRATOR_STATE": "state"}
    for name in rng.sample(VARIABLES, rng.choice((0, 0, 1, 1, 2))):
        value = rng.choice((*ODD, f"http://bob:{secret}@127.0.0.1:{secret}", secret, f"{secret}\n", f"'{secret}'"))
        if "\x00" not in value and "\ud800" not in value:  # no host can hand these over
            environ[name] = value
    return environ


def _command(rng: random.Random, cloud: Cloud) -> list[str]:
    """A command line; often one of its words is another one."""
    words = list(rng.choice(COMMANDS))
    if rng.random() < 0.5:
        at, odd = rng.randrange(1, len(words)), rng.choice([each for each in ODD if "\x00" not in each])
        words[at] = odd.replace("\ud800", "\udcff")
    if rng.random() < 0.1:
        words.insert(
            rng.randrange(len(words)), rng.choice(("--quiet", "--state", "--log-level", "--", "-", "--se", "x"))
        )
    names = {"PLAN": "plan.yaml", "PROXY": cloud.proxies[0].proxy_id}
    return [names.get(word, word) for word in words]


def _broken(ended: Ended, folder: Path, secret: str) -> str | None:
    said = ended.output.decode("utf-8", "replace")
    if ended.crash is not None:
        return f"crashed: {ended.crash}"
    if ended.code not in _CODES or "Traceback" in said:
        return f"exit {ended.code}: {said[-300:]}"
    if ended.cpu_s > _MOST_CPU_S:
        return f"took {ended.cpu_s:.1f} s of the processor"
    if secret in said:
        return f"shows a secret: {said[max(0, said.index(secret) - 100) :][:200]}"
    written = (path for path in folder.rglob("state/**/*") if path.is_file())
    return next((f"a secret is in {path.name}" for path in written if secret.encode() in path.read_bytes()), None)


def _unusual(environ: dict[str, str]) -> str:
    return f"environment: { {name: value[:80] for name, value in environ.items() if name in VARIABLES}!r}"
