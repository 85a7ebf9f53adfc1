"""Plans, inventories, environments and command lines that are nearly right."""

import random
from collections.abc import Iterator

from fuzz.cloud import NEW, OLD, PROJECT, Proxy

#: Values for any key, option or variable. The host hands over bytes that are no UTF-8 as lone surrogates.
ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "true",
        "null",
        "~",
        "é",
        "caf\udce9",
        "\ud800",
        "\x00",
        "\x1b[31m",
        "\n",
        "a\nb",
        "日本",
    ),
    *("9" * 5000, "1e999", "NaN", "inf", "-inf", "1_000", "0x10", "٣", "1e-320", "9223372036854775808", "99999999999d"),
    *("[" * 1100, "[" * 1100 + "]" * 1100, "{" * 1100, "&a [*a]", "*a", "!!python/name:os", "<<: 1", "'", '"', "%00"),
    *("0001-01-01", "9999-12-31", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59", "2026-02-30", "24:00"),
    *("99999999h", "0s", "1e9s", "0.0000001s", "5s5s", "100000000000000000000/s", "0/s", "0%", "101%", "-5%", "1e400%"),
    *("Asia/Shanghai", "../../etc/passwd", "/dev/null", "/", ".", "..", "~", "con", "a" * 300, "a/b", "$HOME", "{}"),
    *(
        "http://127.0.0.1:port",
        "http://[::1",
        "http://\udcff@x",
        "https://user:pw@127.0.0.1:1",
        "ftp://x",
        "//",
        "http://",
    ),
    *("http://127.0.0.1:99999", "http://127.0.0.1:-1", "HTTP://127.0.0.1:٣", "https://" + "a" * 70 + ".example"),
)

_PLAN = """\
version: 1
name: prod
target_version: {new}
source_version: [{old}]
scopes:
  bj4: {{region: cn-north-4, project_id: {project}, endpoint: "{url}", iam_endpoint: "{url}"}}
scopes_required: any
proxies:
{proxies}
inventory: [fleet.csv, fleet.ndjson]
exclude:
  - {{name: old}}
expect: {{min: 1, max: 50}}
waves:
  - {{name: canary, size: 1, soak: 1m, max_failures: 0}}
  - {{name: rest}}
limits:
  concurrency: 10
  rate: 20/s
  in_flight: 10
  per_instance: 1
  per_label: {{app: 1}}
  ramp: true
failures:
  max: 1%
  counts: [failed, timed_out, mismatch, in_doubt]
  mode: strict
  max_rejected: 10%
  new_reject: continue
windows: always
freezes: [{{from: 2027-12-20, to: 2028-01-04, timezone: Asia/Shanghai}}]
fit: true
follow: {{to: verified, poll: 15s, timeout: 60m, expected: 10m, verify_for: 5m}}
retry: {{attempts: 5, backoff: 1s, max_backoff: 60s, busy: 1m, busy_for: 2h, resend_after: 15m}}
http: {{connect_timeout: 5s, timeout: 30s, allow_http: false}}
language: en-us
"""

#: Command lines that are right; `PLAN` and the values stand for what they name.
COMMANDS = (
    ("run", "PLAN", "--max-duration", "50m", "--wait", "1h"),
    ("run", "PLAN", "--until", "23:00", "--report", "copy.json", "--log-level", "debug"),
    ("run", "PLAN", "--new", "--only-outcome", "rejected,failed", "--set", "limits.in_flight=5"),
    ("plan", "PLAN", "--offline", "--format", "json", "--set", "limits.rate=5/s"),
    ("plan", "PLAN", "--format", "table", "--forecast"),
    ("run", "PLAN", "--dry-run", "--offline"),
    ("status", "PLAN", "PROXY", "--log-format", "json"),
    ("status", "PLAN"),
    ("report", "PLAN", "--format", "csv", "--output", "out.csv"),
    ("report", "PLAN", "--run", "20260301T200000000Z-000000", "--format", "text"),
    ("hold", "PLAN", "--note", "incident"),
    ("release", "PLAN", "canary", "--note", "go on"),
    ("settle", "PLAN", "PROXY", "--outcome", "failed", "--note", "seen"),
    ("schema", "plan"),
)

#: Variables that the program, or a library below it, looks at.
VARIABLES = (
    *("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "NO_PROXY", "ALL_PROXY", "no_proxy"),
    *("USER", "LOGNAME", "HOME", "TZ", "LANG", "LC_ALL", "COLUMNS", "NO_COLOR", "TERM", "TMPDIR", "XDG_STATE_HOME"),
    *("HW_AUTH_TOKEN", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HW_ACCESS_KEY", "HW_SECRET_KEY"),
    *("HUAWEICLOUD_SDK_SECURITY_TOKEN", "HUAWEICLOUD_SDK_CREDENTIALS_FILE", "HUAWEICLOUD_SDK_PROJECT_ID"),
    *("HUAWEICLOUD_SDK_IAM_ENDPOINT", "HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4", "HUAWEICLOUD_SDK_REGIONS_FILE"),
    *("ORCHESTRATOR_STATE", "ORCHESTRATOR_CRASH_AT", "SSL_CERT_FILE", "PYTHONUTF8"),
)


def plan_text(proxies: list[Proxy], url: str) -> str:
    """A plan with nearly every key, one to a line."""
    rows = (f"  - {{scope: bj4, instance_id: {each.instance_id}, proxy_id: {each.proxy_id}}}" for each in proxies)
    return _PLAN.format(new=NEW, old=OLD, project=PROJECT, url=url, proxies="\n".join(rows))


def inventories(rng: random.Random) -> Iterator[tuple[str, str]]:
    """A file of each form, by name."""
    ids = [f"{number:032x}" for number in range(40, 44)]
    rows = [f"bj4,{each}in07,{each}po01,{rng.choice(('billing', 'orders'))}" for each in ids[:2]]
    yield "fleet.csv", "\n".join(["scope,instance_id,proxy_id,app", *rows, ""])
    lines = [
        f'{{"scope": "bj4", "instance_id": "{each}in07", "proxy_id": "{each}po01", "app": "x"}}' for each in ids[2:]
    ]
    yield "fleet.ndjson", "\n".join([*lines, ""])


def spoiled(text: str, rng: random.Random) -> str:
    """A text with something odd in one place: at a value, or anywhere."""
    places = [at + 2 for at in range(len(text) - 2) if text[at : at + 2] in (": ", "- ")]
    at = rng.choice(places) if places and rng.random() < 0.7 else rng.randrange(len(text) + 1)
    ends = at
    while ends < len(text) and text[ends] not in ",]}\n":
        ends += 1
    odd = rng.choice(ODD)
    return text[:at] + (odd if rng.random() < 0.7 else f'"{odd}"') + text[ends if rng.random() < 0.8 else at :]
