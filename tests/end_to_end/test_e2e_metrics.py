"""A process writes its metrics where it is told to, and lets nothing come of it when it cannot."""

from fakes.e2e import NewCloud
from fakes.metrics import samples


def test_the_file_of_the_plan_says_how_the_session_ended(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(metrics={"textfile": "prod.prom"})
    assert desk.run("--max-duration", "1ms").code == 5
    assert samples(desk.folder / "prod.prom")["last_session_exit_code{}"] == 5
    assert desk.run().code == 0
    found = samples(desk.folder / "prod.prom")
    assert (found["targets{outcome=succeeded}"], found["last_session_exit_code{}"]) == (2, 0)
    assert sum(name.startswith("run_info{") and "simulated=false" in name for name in found) == 1


def test_a_simulated_run_leaves_the_file_of_the_real_ones_alone(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(metrics={"textfile": "prod.prom"})
    options = ("--simulate", "--speed", "1000", "--faults", "none")
    assert desk.run(*options).code == 0
    assert not (desk.folder / "prod.prom").exists()
    assert desk.run(*options, "--metrics", "trial.prom").code == 0
    assert any("simulated=true" in name for name in samples(desk.folder / "trial.prom"))


def test_metrics_that_cannot_be_written_are_a_warning(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(metrics={"textfile": "no/such/folder/prod.prom"})
    assert desk.run("--metrics", "no/such/folder/prod.prom").code == 2
    ended = desk.run()
    assert ended.code == 0
    [warning] = desk.report["run"]["warnings"]
    assert warning.startswith("the metrics: ")
    assert "no/such/folder" in warning
    assert "sink.failed" in {line["event"] for line in ended.logs}
    assert f"orchestrator: warning: {warning}" in ended.stderr
    quiet = desk.run("--quiet", "--new")
    assert (quiet.code, quiet.stdout, quiet.stderr) == (0, "", "")
    assert desk.report["run"]["warnings"] == [warning]
