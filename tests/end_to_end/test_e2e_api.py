"""`orchestrator.api`, also as the examples of its page use it: in a notebook's event loop, and as a task of Airflow."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from fakes.documents import blocks, read
from fakes.e2e import NEW, Desk, NewCloud
from fakes.held_jobs import held
from fakes.here import DeskHere

from orchestrator import api
from orchestrator.api import planned_fleet
from orchestrator.api.work import Worked
from orchestrator.model.record.record import AnswerSeen

PAGE = [block.text for block in blocks(read("docs/for-programs.md"), "python")]
(AIRFLOW,) = (text for text in PAGE if "airflow" in text)
NOTEBOOK = [text for text in PAGE if "airflow" not in text]


def _load(desk: Desk, **options: Any) -> api.PlannedFleet:
    return api.load(desk.plan, environ=desk.base_environ(), **options)


@pytest.mark.slow
def test_the_notebook_previews_runs_and_reads_where_an_event_loop_runs(
    new_cloud: NewCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = new_cloud(2)
    monkeypatch.chdir(desk.folder)
    for name, value in desk.base_environ().items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}

    async def cells() -> None:
        for text in NOTEBOOK:
            exec(text, names)  # noqa: S102  # the example is what is tested

    asyncio.run(cells())
    said = capsys.readouterr().out
    assert said.startswith("2\nDONE ")
    assert f"prod -> {NEW}" in said
    assert "     2 already" in said
    assert "1 RunStarted" in said
    fleet: api.PlannedFleet = names["fleet"]
    assert [(run.targets, run.ended) for run in fleet.runs()] == [(2, True)] * 2
    first, second = (run.run_id for run in fleet.runs())
    assert [target.outcome for target in fleet.targets(second)] == ["succeeded"] * 2
    numbers = [event.number for event in fleet.events(first, after=2)]
    assert numbers == [*range(3, 3 + len(numbers))]
    status = fleet.status()
    assert (status.name, status.run and status.run.run_id) == ("prod", first)
    assert names["end"].report.is_file()


@pytest.mark.slow
def test_what_was_approved_runs_by_way_of_the_api_too(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    fleet = _load(desk, overrides={"limits.in_flight": "1"})
    saved = desk.folder / "approved.json"
    assert fleet.preview(save_as=saved).sends == 1
    assert fleet.run(approved=saved).code is api.ExitCode.DONE
    again = fleet.run(approved=saved)
    assert again.code is api.ExitCode.USAGE
    assert "a start now would do something else" in again.trouble


def test_mistakes_are_exceptions(desk: Desk) -> None:
    with pytest.raises(api.PlanError, match="there is no such plan file"):
        api.load(desk.folder / "other.yaml")
    fleet = _load(desk)
    assert fleet.runs() == []
    assert fleet.status().run is None
    with pytest.raises(api.UsageError, match="there is no trace"):
        next(fleet.events())


@pytest.mark.parametrize(
    ("code", "error"), [(2, api.PlanError), (4, api.FleetLocked), (7, api.ScopeUnusable), (8, api.StateError)]
)
def test_a_preview_that_could_not_be_made_raises_what_its_exit_code_means(code: int, error: type[Exception]) -> None:
    said = Worked(code, "", "so it is\n").error()
    assert type(said) is error
    assert str(said) == "so it is"
    assert Worked(-9, "", "").exit_code is api.ExitCode.INTERNAL


# --- Airflow, without Airflow -----------------------------------------------------------------------------------------


@dataclass
class _Poke:
    is_done: bool
    xcom_value: Any = None


class _Failed(Exception):
    pass


@dataclass
class _Task:
    """What a decorated function is in a DAG: it is called to be placed there, and keeps what it does."""

    does: Callable[[], Any]
    placed: dict[str, "_Task"]
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> "_Task":
        self.placed[self.does.__name__] = self
        return self

    def __rshift__(self, other: "_Task") -> "_Task":
        return other


class _Tasks:
    def __init__(self) -> None:
        self.placed: dict[str, _Task] = {}

    def __call__(self, does: Callable[[], Any]) -> _Task:
        return _Task(does, self.placed)

    def sensor(self, **options: Any) -> Callable[[Callable[[], Any]], _Task]:
        return lambda does: _Task(does, self.placed, options)


def _airflow(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, _Task]]:
    """The names of the example, and its tasks, with stand-ins for the few things of Airflow that it uses."""
    tasks = _Tasks()
    stands: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.decorators": {"dag": lambda **_: lambda make: make, "task": tasks},
        "airflow.exceptions": {"AirflowFailException": _Failed},
        "airflow.sensors": {},
        "airflow.sensors.base": {"PokeReturnValue": _Poke},
    }
    for name, content in stands.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    names: dict[str, Any] = {}
    exec(AIRFLOW, names)  # noqa: S102  # as above
    return names, tasks.placed


def _ended(monkeypatch: pytest.MonkeyPatch, code: int, out: str = "so far") -> None:
    monkeypatch.setattr(planned_fleet, "work", lambda *_: Worked(code, out, "because"))


def test_the_airflow_example_previews_and_pokes_until_the_run_is_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, tasks = _airflow(monkeypatch)
    names["PLAN"] = str(desk.plan)
    monkeypatch.setenv("ORCHESTRATOR_STATE", str(desk.state))
    assert list(tasks) == ["preview", "upgrade"]
    assert tasks["upgrade"].options["mode"] == "reschedule"
    offline = DeskHere(desk.folder).cli("plan", "PLAN", "--offline", "--format", "json")
    _ended(monkeypatch, 0, offline.stdout)
    assert tasks["preview"].does()["to_upgrade"] == 3
    upgrade = tasks["upgrade"].does
    for code, done in ((5, False), (4, False), (0, True), (1, True)):
        _ended(monkeypatch, code)
        assert upgrade().is_done is done
    for code in (2, 3, 6, 7, 8, 70):
        _ended(monkeypatch, code)
        with pytest.raises(_Failed, match="because\nso far"):
            upgrade()


@pytest.mark.slow
def test_whoever_leaves_while_it_works_has_it_stop_in_good_order(new_cloud: NewCloud) -> None:
    desk = new_cloud(1, fates=held())

    def leave(event: api.Event) -> None:
        if isinstance(event.record, AnswerSeen):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _load(desk).run(on_event=leave)
    ended = desk.records()[-1]
    assert (ended["record"], ended["exit_code"]) == ("session_ended", 5)
