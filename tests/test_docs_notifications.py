"""docs/notifications.md says what receivers get, and its examples work."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml
from fakes.documents import blocks, first_words, read, section

from orchestrator.app.notify.notice import Notice, signed
from orchestrator.model.plan.plan import NoticeKind, Notify
from orchestrator.planner.plan_file.load import load_plan

PAGE = read("docs/notifications.md")
HEAD = """\
version: 1
region: cn-north-4
project_id: 054e292c9880d4992f02c0196d3ea468
target_version: 2.24.03.000
proxies: [{instance_id: 517ea793ab91438cbfcd9c4b1c958b1ein07, proxy_id: 0f46fc46396e4fb19a0cb52f578e9511po01}]
"""


def test_the_first_example_is_a_plan_for_this_and_other_readers(tmp_path: Path) -> None:
    example = blocks(PAGE, "yaml")[0].text
    (tmp_path / "prod.yaml").write_text(HEAD + example, encoding="utf-8")
    plan = load_plan(tmp_path / "prod.yaml")
    assert [each.name.split()[0] for each in plan.notify] == ["command", "webhook_env", "apprise_env", "ping_env"]
    assert yaml.safe_load(example)["notify"][1]["on"] == ["held", "person", "ended"]


def test_every_kind_is_told_and_the_default_is_the_first_four() -> None:
    told = first_words(section(PAGE, "When"))
    assert told == list(get_args(NoticeKind))
    assert tuple(told[:4]) == Notify().on


def test_the_example_of_an_event_has_every_field_and_no_other() -> None:
    event: dict[str, Any] = json.loads(blocks(section(PAGE, "What"), "json")[0].text)
    data = event.pop("data")
    notice = msgspec.convert({"id": event["id"], "at": event["time"], **data}, Notice)
    assert json.loads(notice.cloud_event()) == {**event, "data": data}
    assert set(first_words(section(PAGE, "What"))) - set(get_args(NoticeKind)) >= set(data)


def test_the_example_that_checks_a_signature_does() -> None:
    names: dict[str, Any] = {}
    exec(blocks(PAGE, "python")[0].text, names)  # noqa: S102  # our own page
    assert names["is_ours"](b"body", signed(b"body", "secret"), "secret")
    assert not names["is_ours"](b"other", signed(b"body", "secret"), "secret")
