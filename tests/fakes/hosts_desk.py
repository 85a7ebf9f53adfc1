"""Several hosts before one simulated cloud, as processes that share a database."""

from contextlib import closing

from fakes.databases import state_in
from fakes.e2e import Desk
from fakes.postgres_server import Server
from fakes.processes import Running

from orchestrator.host import HOST_VARIABLE
from orchestrator.tracker.postgres.serving.standby import standbys


class HostsDesk(Desk):
    """A desk whose state is in a database; what came of it is looked at after an export into its folder."""

    server: Server
    address: str

    def share(self, server: Server) -> None:
        """Put the state into a new database of a server."""
        self.server, self.address = server, server.new_database()
        with closing(state_in(self.address, self.folder).seat.database):
            pass

    def base_environ(self) -> dict[str, str]:
        return {**super().base_environ(), "ORCHESTRATOR_STATE": self.address}

    def host(self, name: str, *arguments: str, environ: dict[str, str] | None = None) -> Running:
        """`run PLAN` on one of the hosts."""
        return self.start("run", "PLAN", "--no-progress", *arguments, environ={**self.place(name), **(environ or {})})

    def worker(self, name: str, *arguments: str) -> Running:
        """`worker --once` on one of the hosts; what helps it ends with it."""
        words = ("worker", "--name", name, "--once", *arguments)
        return self.start(*words, environ=self.place(name), wrapper=("env",))

    def place(self, name: str) -> dict[str, str]:
        """What makes a process one of a host of its own."""
        return {"HOME": str(self.folder / name), HOST_VARIABLE: name}

    def until_in_log(self, name: str, count: int = 1) -> None:
        """Wait until the log has so many records of a name."""
        with closing(state_in(self.address, self.folder).seat.database) as database:
            wanted = "select count(*) from orchestrator.journal where record = %(name)s"
            self.until(lambda: bool(database.rows(wanted, name=name)[0][0] >= count))

    def until_one_stands_by(self) -> None:
        """Wait until a process stands by for the fleet."""
        with closing(state_in(self.address, self.folder).seat.database) as database:
            self.until(lambda: bool(standbys(database, self.name)))

    def export(self) -> None:
        """Bring the latest run into the folder `state`, where tools that read files find it."""
        with closing(state_in(self.address, self.folder).seat.database) as database:
            run_id = database.rows("select max(run_id) from orchestrator.run")[0][0]
        exported = self.cli("state", "export", run_id, str(self.state))
        assert exported.code == 0, exported.stderr
        there, report = {"ORCHESTRATOR_STATE": str(self.state)}, self.run_folder / "report.json"
        reported = self.cli("report", "PLAN", "--format", "json", "--output", report, environ=there)
        assert reported.code == 0, reported.stderr
