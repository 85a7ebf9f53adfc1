"""Which store a state is, and that nothing of the one is imported for the other."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.tracker.open_state import named_database, open_state
from orchestrator.tracker.postgres.address import names_database, without_password

URL = "postgresql://me:secret@db1:5432/fleets?password=other&sslmode=require"


@pytest.mark.parametrize("named", [URL, "postgres://db1/fleets", "service=fleets"])
def test_an_address_names_a_database(named: str) -> None:
    assert names_database(named)


@pytest.mark.parametrize("named", ["/var/lib/x", "state", "", "postgresql", "~/service=x", "file://x"])
def test_anything_else_is_a_folder(named: str) -> None:
    assert not names_database(named)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (URL, "postgresql://me@db1:5432/fleets?sslmode=require"),
        ("postgresql://db1/fleets", "postgresql://db1/fleets"),
        ("postgresql://me@/fleets?host=/run/pg", "postgresql://me@/fleets?host=/run/pg"),
        ("service=fleets password=secret", "service=fleets"),
        ("service=fleets password='my secret'", "service=fleets"),
        ("postgresql://me:se#c?ret@db1/fleets", "postgresql://me@db1/fleets"),
        ("postgresql://me:se/cret@db1/fleets", "postgresql://me@db1/fleets"),
        ("postgresql://me:5432/cret@db1/fleets", "postgresql://me@db1/fleets"),
        ("postgresql://me:se@cret@db1:5432/fleets?user=me@corp", "postgresql://me@db1:5432/fleets?user=me@corp"),
        ("postgresql://db1:5432/fleets?user=me@corp", "postgresql://db1:5432/fleets?user=me@corp"),
        ("postgresql://db1:5432,db2:5433/fleets?user=me@corp", "postgresql://db1:5432,db2:5433/fleets?user=me@corp"),
        ("postgresql://me@/fleets?host=%2Frun%2Fpg&sslpassword=secret", "postgresql://me@/fleets?host=%2Frun%2Fpg"),
        ("postgresql://me@/fleets?host=%2Frun%2Fpg", "postgresql://me@/fleets?host=%2Frun%2Fpg"),
    ],
)
def test_no_password_is_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_a_password_on_the_command_line_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a password has no place here") as raised:
        open_state(URL, {}, tmp_path / "plan.yaml")
    assert "secret" not in f"{raised.value}{raised.value.hint}"


def test_a_password_in_the_environment_is_taken_and_not_shown(tmp_path: Path) -> None:
    state = open_state(None, {"ORCHESTRATOR_STATE": URL}, tmp_path / "plan.yaml")
    assert str(state) == "postgresql://me@db1:5432/fleets?sslmode=require"
    assert state.options(tmp_path / "plan.yaml") == ()


def test_a_command_that_comes_there_names_it_as_it_was_named(tmp_path: Path) -> None:
    state = open_state("postgresql://db1/fleets", {}, tmp_path / "plan.yaml", simulated=True)
    assert state.options(tmp_path / "plan.yaml") == ("--state", "postgresql://db1/fleets", "--simulate")


def test_what_needs_a_database_refuses_a_folder_and_names_it() -> None:
    with pytest.raises(UsageError, match=r"^/var/lib/x is a folder, and this is for a state in a database"):
        named_database("/var/lib/x", {})
    with pytest.raises(UsageError, match=r"^no state is named"):
        named_database(None, {})


def test_without_the_extra_the_message_names_it(tmp_path: Path) -> None:
    """As where nothing of `psycopg` is installed."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from orchestrator.errors import UsageError\n"
        "from orchestrator.tracker.open_state import open_state\n"
        "try:\n    open_state('service=x', {}, Path('plan.yaml'))\n"
        "except UsageError as error:\n    print(error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "pip install 'proxy-fleet-orchestrator[hosts]'"


def test_with_a_folder_nothing_of_the_database_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import orchestrator.app.run.run_plan, orchestrator.cli.place\n"
        "from orchestrator.tracker.open_state import open_state\n"
        "open_state('state', {}, Path('plan.yaml')).fleet('prod').runs()\n"
        "print([name for name in sys.modules if name.startswith(('psycopg', 'orchestrator.tracker.postgres'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['orchestrator.tracker.postgres', 'orchestrator.tracker.postgres.address']"
