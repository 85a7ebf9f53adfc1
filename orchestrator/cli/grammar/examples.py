"""What the help of each verb shows as examples: a command, and what it does where the command does not say it."""

from __future__ import annotations

#: By verb.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "plan": (
        ("orchestrator plan plans/prod.yaml", ""),
        ("orchestrator plan plans/prod.yaml --offline", "check the plan alone"),
        ("orchestrator plan plans/prod.yaml --forecast", "when it ends"),
        ("orchestrator plan plans/prod.yaml --out approved.json", "to be approved"),
    ),
    "run": (
        ("orchestrator run plans/prod.yaml", ""),
        ("orchestrator run plans/prod.yaml --quiet --until 05:00", "as cron starts it"),
        ("orchestrator run plans/prod.yaml --only-outcome rejected,failed", "redo these"),
        ("orchestrator run plans/quickstart.yaml --simulate", "nothing of it is real"),
    ),
    "status": (
        ("orchestrator status", "all fleets, a line each"),
        ("orchestrator status plans/prod.yaml --watch", ""),
        ("orchestrator status plans/prod.yaml 0f46fc46", "the story of one proxy"),
    ),
    "runs": (("orchestrator runs plans/prod.yaml", ""), ("orchestrator runs plans/prod.yaml --format json", "")),
    "report": (
        ("orchestrator report plans/prod.yaml --format text", ""),
        ("orchestrator report plans/prod.yaml --format html --output night.html", ""),
        ("orchestrator report plans/prod.yaml --compare 20261127T144454198Z-ca8e60", ""),
    ),
    "hold": (('orchestrator hold plans/prod.yaml --note "incident 4711"', ""),),
    "release": (
        ('orchestrator release plans/prod.yaml --note "subnet enlarged"', ""),
        ('orchestrator release plans/prod.yaml rest --note "canary fine"', "approve it"),
    ),
    "limit": (
        ('orchestrator limit plans/prod.yaml in_flight=4 rate=1/s --note "busy"', ""),
        ('orchestrator limit plans/prod.yaml --reset --note "over"', ""),
    ),
    "settle": (
        ('orchestrator settle plans/prod.yaml 0f46 --outcome failed --note "job failed"', ""),
        ('orchestrator settle plans/prod.yaml 0f46 --outcome not_sent --note "no job"', ""),
    ),
    "claim": (("orchestrator claim plans/prod.yaml --from old/prod.yaml", ""),),
    "init": (("orchestrator init plans/prod.yaml --region cn-north-4", ""),),
    "doctor": (("orchestrator doctor plans/prod.yaml", ""),),
    "notify": (("orchestrator notify test plans/prod.yaml", ""),),
    "simulate": (
        ("orchestrator simulate --speed 60 --write-plan fleet.yaml", "then, elsewhere:"),
        ("orchestrator plan fleet.yaml", ""),
    ),
    "explain": (("orchestrator explain limits.in_flight", ""),),
    "schema": (("orchestrator schema plan", ""),),
    "worker": (
        ("orchestrator worker --state postgresql://db/fleets", "until it is told to stop"),
        ("orchestrator worker --state postgresql://db/fleets --name bj-1 --once", ""),
    ),
    "state": (
        ("orchestrator state init --state postgresql://db/fleets", ""),
        ("orchestrator state import .orchestrator --state postgresql://db/fleets", ""),
    ),
}


def examples_of(verb: str) -> str:
    """The last lines of a verb's help."""
    lines = [f"  {command}{f'    {does}' if does else ''}" for command, does in EXAMPLES[verb]]
    return "\n".join(["examples:", *lines]) + "\n"
