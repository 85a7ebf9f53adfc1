"""Whose each workflow is by the lines of a journal, in their order: another target may take what one was given."""

from collections import defaultdict
from collections.abc import Iterator

from auditor.journal import Book, Line


class Ids:
    """The workflows of every target, and what is told of one that two were given.

    Attributes:
        of: the workflows of each target, in small letters, in the order in which it came to them.
        told: for each target, sentences of evidence that stand in no line of its own, after the lines of these numbers.
    """

    def __init__(self, book: Book, instances: dict[str, str]) -> None:
        self._instances = instances
        self.of: dict[str, dict[str, bool]] = defaultdict(dict)
        self.told: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._first: dict[str, str] = {}
        self._owner: dict[str, str] = {}
        self._shared: dict[str, set[str]] = defaultdict(set)
        self._nobodys: set[str] = set()
        self._named: set[str] = set()
        self._listed: set[str] = set()
        self._over: set[str] = set()
        for line in book.lines:
            if line["target"] is not None:
                self._read(line)

    def _read(self, line: Line) -> None:
        target, workflow = line["target"], _key(line.get("workflow_id"))
        match line["record"]:
            case "answer_seen":
                self._answer(line)
            case "workflow_adopted":
                for other in self._others(workflow, target):
                    self._take(other, line["workflow_id"], line, shown=True)
                self._adopt(target, workflow, line)
            case "job_seen" if workflow in self.of[target] or workflow not in self._shared[target]:
                self._give(target, workflow)
                self.of[target][workflow] = True
            case "doubt_renewed" if workflow:
                self._lose(target, workflow, line)
            case "settled" | "version_reached" | "version_adopted":
                self._over.add(target)
            case "intent" | "returned_to_waiting":
                self._over.discard(target)
            case _:
                pass

    def _adopt(self, target: str, workflow: str, line: Line) -> None:
        """The job itself may have shown whose it is: by the proxy that it names, or by its instance."""
        self._give(target, workflow)
        self._named.update([workflow] if line.get("named") else [])
        self._listed.update([workflow] if line.get("listed") else [])

    def _answer(self, line: Line) -> None:
        target, strays = line["target"], set(line.get("strays", ()))
        entries = [entry for entry in line["update_result"] if entry["workflow_id"]]
        twice = {entry["workflow_id"] for entry in entries if self._is_twice(entry, line)}
        for entry in entries:
            if not _says(entry, "REJECT") and entry["workflow_id"] not in strays:
                self._first.setdefault(_key(entry["workflow_id"]), target)
        for written in sorted(twice - strays):
            self._nobodys.add(_key(written))
            self._shared[target].add(_key(written))
            self.told[target].append((line["seq"], _sentence(written)))
        if line["verdict"] in ("accepted", "partial") and not twice - strays:
            for entry in entries:
                if _says(entry, "ACCEPT"):
                    self._give(target, _key(entry["workflow_id"]))

    def _is_twice(self, entry: Line, line: Line) -> bool:
        workflow = _key(entry["workflow_id"])
        others = [each for each in self._others(workflow, line["target"]) if not self._is_about(entry, each, line)]
        for other in others:
            if not self._is_elsewhere(workflow, other, line):
                self._take(other, entry["workflow_id"], line)
        return bool(others) or workflow in self._nobodys

    def _is_about(self, entry: Line, other: str, line: Line) -> bool:
        said, theirs = (entry["instance_id"] or "").lower(), self._instances[other].lower()
        return said == theirs != self._instances[line["target"]].lower()

    def _is_elsewhere(self, workflow: str, other: str, line: Line) -> bool:
        """Whether its job was seen on the instance of the other one, which is not this one's: no answer moves it."""
        seen = workflow in self._listed and self._owner.get(workflow) == other
        return seen and self._instances[other].lower() != self._instances[line["target"]].lower()

    def _others(self, workflow: str, target: str) -> Iterator[str]:
        found = {self._first.get(workflow), self._owner.get(workflow)} - {None, target}
        yield from sorted(each for each in found if each is not None)

    def _take(self, other: str, written: str, line: Line, *, shown: bool = False) -> None:
        workflow = _key(written)
        seen = self.of[other].get(workflow) or workflow in self._named
        if (seen and not shown) if workflow in self.of[other] else workflow in self._shared[other]:
            return
        self.told[other].append((line["seq"], _sentence(written)))
        self._lose(other, workflow, line)

    def _lose(self, target: str, workflow: str, line: Line) -> None:
        self._nobodys.add(workflow)
        self._named.discard(workflow)
        self._listed.discard(workflow)
        self._shared[target].add(workflow)
        had = self.of[target].pop(workflow, None) is not None
        if had and not self.of[target] and target in self._over:
            self.told[target].append((line["seq"], "workflow_id not recovered"))
        if self._owner.get(workflow) == target:
            del self._owner[workflow]

    def _give(self, target: str, workflow: str) -> None:
        self.of[target].setdefault(workflow, False)
        self._owner[workflow] = target
        self._nobodys.discard(workflow)


def _key(written: str | None) -> str:
    return (written or "").lower()


def _says(entry: Line, word: str) -> bool:
    return bool((entry["state"] or "").strip().upper() == word)


def _sentence(workflow: str) -> str:
    return f"workflow {workflow} was given to another target too"
