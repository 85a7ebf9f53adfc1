"""Whether what a report says of the run as a whole adds up, over its targets and over the lines of the journal."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from auditor.aside import untold_intents, waits_for_a_person
from auditor.hosts import host_problems
from auditor.journal import Book, Line, nos_in, trouble_in

#: The exit code of a session that only followed what was open, whatever its line says.
_PLAN_CHANGED = 2

#: Exit codes of a session that left no line of its end: it works still, or an error ended it.
_WITHOUT_A_LINE = frozenset({None, 2, 7, 8, 70})

#: The part of the program that counts calls.
_COUNTING = "the note of the scopes' use"


def sum_problems(report: Line, book: Book) -> Iterator[str]:
    """What is wrong with head, totals, reasons, waves and scopes."""
    aside = [target for target in report["targets"] if waits_for_a_person(target, book.of.get(target["proxy_id"], []))]
    yield from _run_problems(report["run"], book, [f"target {each['proxy_id']}: {each['reason']}" for each in aside])
    yield from host_problems(report, book, aside=bool(aside))
    yield from _total_problems(report, book)
    yield from _reason_problems(report, book)
    if [wave["name"] for wave in report["waves"]] != book.lines[0]["waves"]:
        yield "the waves are not those that the run began with"
    if {line["scope"] for line in book.named("scope_used")} - {scope["name"] for scope in report["scopes"]}:
        yield "a scope that was used is not there"
    for wave in report["waves"]:
        yield from _wave_problems(wave, report, book)
    for scope in report["scopes"]:
        yield from _scope_problems(scope, book)
        yield from _standing_problems(scope, book)


def _run_problems(run: Line, book: Book, aside: list[str]) -> Iterator[str]:
    started = book.lines[0]
    for name in ("run_id", "name", "simulated", "plan_sha256", "target_version"):
        if run[name] != started[name]:
            yield f"run.{name} is {run[name]}, the journal says {started[name]}"
    if run["started_at"] != started["at"]:
        yield "run.started_at is not that of the first line"
    if run["sessions"] != len(book.named("session_started")):
        yield f"{run['sessions']} sessions, {len(book.named('session_started'))} have a line"
    if run["orchestrator_version"] != (book.last("session_started") or started)["orchestrator_version"]:
        yield f"run.orchestrator_version is {run['orchestrator_version']}, the latest session's is another"
    bugs, refusals, warnings = _troubles(book)
    told = run["errors"], run.get("host_errors", []), run["warnings"]
    if told != (bugs + aside, refusals, warnings):
        yield f"run.errors, run.host_errors and run.warnings are {told}, by the journal {_troubles(book)}"
    if run["as_of"] != book.lines[-1]["at"]:
        yield f"run.as_of is {run['as_of']}, the last line is of {book.lines[-1]['at']}"
    ended = book.last("run_ended")
    if run["ended_at"] != (ended["at"] if ended else None):
        yield f"run.ended_at is {run['ended_at']}, the journal says {ended}"
    hold = _hold(book)
    state = "held" if hold else "completed" if ended else "unfinished"
    if run["state"] != state:
        yield f"run.state is {run['state']}, by the journal it is {state}"
    yield from _hold_problems(run["hold"], hold)
    people = sorted((act for line in book.lines for act in _acts(line)), key=lambda act: _at(act[0]))
    if [[act[name] for name in ("at", "who", "did", "note")] for act in run["people"]] != people:
        yield f"run.people are {run['people']}, the journal says {people}"
    yield from _exit_problems(run["exit_code"], book)


def _acts(line: Line) -> Iterator[list[Any]]:
    """What a person did, by a line: when, who, what, with which note."""
    record, at = line["record"], line.get("since") or line["at"]
    user = line.get("settled_by") or line.get("by")
    if record == "session_started":
        user = line["user"] or "a user not recorded"
    elif record in ("hold_set", "limits_changed") and not line["command"]:
        user = None  # of this program, or told in an earlier run
    did = {
        "session_started": f"started session {line.get('number')}",
        "hold_set": "held the fleet",
        "hold_released": "released the fleet",
        "wave_approved": f"approved wave {line.get('wave')}",
        "limits_changed": _limits_words(line),
        "fleet_claimed": f"handed the fleet over from {line.get('before')} to {line.get('after')}",
        "command_ignored": f"asked, and nothing came of it: {line.get('why')}",
        "settled": f"settled {line['target']} as {line.get('outcome')}",
        "returned_to_waiting": f"settled {line['target']} as not_sent",
    }.get(record)
    if did is not None and user:
        yield [at, f"{user}@{line['host']}" if line["host"] else user, did, line.get("note")]


def _limits_words(line: Line) -> str:
    """What a person did to the limits, by the line of it."""
    limits = line["limits"] if line["record"] == "limits_changed" else {}
    named = (f"{key}={_limit_words(key, value)}" for key, value in limits.items() if value is not None)
    words = " ".join(named)
    return f"changed limits: {words}" if words else "let the limits of the plan hold again"


def _limit_words(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['value']:g}{'%' if value['percent'] else ''}"
    return f"{value:g}/s" if key == "rate" else f"{value:g}"


#: Readings that a run goes on without.
_GONE_WITHOUT = ("metrics_missing", "subnet_read", "cloud_events_read")


def _gone_without(line: dict[str, Any], told: Mapping[str, None]) -> dict[str, None]:
    """What is said of a reading that cannot be had; of the subnets of a scope once."""
    scope, why = line["scope"], line.get("why")
    match line["record"]:
        case "metrics_missing":
            return {f"scope {scope}: goes on without metrics of its proxies: {why}": None}
        case "subnet_read" if line.get("denied"):
            begins = f"the free addresses of scope {scope} are not looked at: "
            return {} if any(each.startswith(begins) for each in told) else {f"{begins}{why}": None}
        case "cloud_events_read" if why:
            return {f"the cloud's own events of scope {scope} are not all looked at: {why}": None}
    return {}


def _troubles(book: Book) -> tuple[list[str], list[str], list[str]]:
    """What failed in the latest session: by which it ends with 70, by which with 8, and what is only told."""
    bugs: dict[str, None] = {}
    refusals: dict[str, None] = {}
    warnings: dict[str, None] = {}
    for line in book.named("session_started", "story_failed", "part_failed", *_GONE_WITHOUT):
        if line["record"] == "session_started":
            bugs, refusals, warnings = {}, {}, {}
            continue
        if line["record"] in _GONE_WITHOUT:
            warnings.update(_gone_without(line, warnings))
            continue
        ending = refusals if line.get("host") else bugs
        if line["record"] == "story_failed":
            ending[f"target {line['target']}: {trouble_in(line)}"] = None
        else:
            (ending if line["ends"] else warnings)[f"{line['part']}: {trouble_in(line)}"] = None
    return list(bugs), list(refusals), list(warnings)


def _hold(book: Book) -> Line | None:
    """The hold that stands at the end."""
    hold: Line | None = None
    for line in book.named("hold_set", "hold_released", "wave_approved"):
        if line["record"] == "hold_set":
            hold = line
        elif line["record"] == "hold_released" or (
            hold and (hold["cause"], hold["wave"]) == ("approval", line["wave"])
        ):
            hold = None
    return hold


def _hold_problems(told: Line | None, hold: Line | None) -> Iterator[str]:
    if told is None or hold is None:
        if told is not hold:
            yield f"run.hold is {told}, the journal says {hold}"
        return
    backed = {**hold, "at": hold.get("since") or hold["at"], "host": hold.get("host") or None}
    wrong = [name for name in told.keys() - {"causes"} if told[name] != backed[name]]
    grouped = [proxy_id for group in told["causes"] for proxy_id in group["proxy_ids"]]
    if wrong or sorted(grouped) != sorted(hold["proxy_ids"]):
        yield f"run.hold is {told}, the journal says {hold}"


def _exit_problems(code: int | None, book: Book) -> Iterator[str]:
    last = book.last("session_started", "session_ended")
    ended = last is not None and last["record"] == "session_ended"
    backed = {last["exit_code"], _PLAN_CHANGED} if last and ended else _WITHOUT_A_LINE
    if code not in backed:
        yield f"run.exit_code is {code}, by the journal it is one of {backed}"


def _total_problems(report: Line, book: Book) -> Iterator[str]:
    totals, targets = report["totals"], report["targets"]
    if totals["targets"] != len(targets):
        yield f"totals.targets is {totals['targets']}, there are {len(targets)}"
    if totals["targets"] != book.lines[0]["targets"] + len(book.named("outcome_kept")):
        yield "totals.targets is not what the run began with"
    if len({target["proxy_id"] for target in targets}) != len(targets):
        yield "a target is there twice"
    if Counter(totals["outcomes"]) != Counter(target["outcome"] for target in targets):
        yield f"totals.outcomes is {totals['outcomes']}, the targets say otherwise"
    not_read = Counter(map(_taken_for, targets))
    del not_read[None]
    if totals["not_read"] != not_read:
        yield f"totals.not_read is {totals['not_read']}, the targets say {not_read}"
    untold = sum(untold_intents(target, book.of.get(target["proxy_id"], [])) for target in targets)
    if totals["upgrade_calls"] != len(book.named("intent")) - untold:
        yield f"{totals['upgrade_calls']} upgrade calls, {len(book.named('intent'))} intents"
    used = book.named("scope_used")
    for name in ("calls", "throttled"):
        if totals[name] != sum(line[name] for line in used):
            yield f"totals.{name} is {totals[name]}, the journal says {sum(line[name] for line in used)}"
    if bool(totals.get("calls_at_least")) != _calls_missing(book):
        yield "totals.calls_at_least says otherwise than the sessions of the journal"


def _calls_missing(book: Book) -> bool:
    """Whether a session has not ended, or could not count: the calls that it made last stand nowhere."""
    bounds = [line["record"] for line in book.named("session_started", "session_ended")]
    ends = zip(bounds, [*bounds[1:], "session_started"], strict=True)
    silent = any(pair == ("session_started", "session_started") for pair in ends)
    return silent or any(line["part"] == _COUNTING for line in book.named("part_failed"))


def _was_read(target: Line) -> bool:
    return target["verified_version"] is not None


def _taken_for(target: Line) -> str | None:
    """What is known of a target that ended well and whose version nobody read."""
    if target["outcome"] == "accepted":
        return "accepted"
    if target["outcome"] != "succeeded" or _was_read(target):
        return None
    return "settled" if target["settled_by"] else "completed"


def _reason_problems(report: Line, book: Book) -> Iterator[str]:
    told = [[(text, each["error_code"]) for text in each["reasons"]] for each in report["reject_reasons"]]
    counted: dict[tuple[str, str | None], list[str]] = {}
    for proxy_id, lines in book.of.items():
        for key in _reasons(lines):
            counted.setdefault(key, []).append(proxy_id)
    keys = [key for each in told for key in each]
    known = {_blanked(text) for line in book.named("run_started") for text in line["known_rejects"]}
    if sorted(keys, key=str) != sorted(counted, key=str):
        yield f"reject_reasons are {sorted(keys, key=str)}, the journal has {sorted(counted, key=str)}"
    for each, texts in zip(report["reject_reasons"], told, strict=True):
        backed = [proxy_id for key in texts for proxy_id in counted.get(key, ())]
        if each["count"] != len(backed) or set(each["proxy_ids"]) != set(backed):
            yield f"{each['signature']}: {each['count']} of {each['proxy_ids']}, the journal has {backed}"
        theirs = [target for target in report["targets"] if target["proxy_id"] in backed]
        upgraded = sum(target["outcome"] == "succeeded" and _was_read(target) for target in theirs)
        if each["upgraded"] != upgraded:
            yield f"{each['signature']}: {each['upgraded']} upgraded all the same, the targets say {upgraded}"
        if each["outcomes"] != Counter(target["outcome"] for target in theirs):
            yield f"{each['signature']}: its targets are {each['outcomes']}, they say otherwise"
        seen = [at for proxy_id in set(backed) for at in _instants(book.of[proxy_id], set(texts))]
        if each["first_seen"] not in {_written(at) for at in sorted(seen)[:1]}:
            yield f"{each['signature']}: first seen {each['first_seen']}, the journal says {sorted(seen)[:1]}"
        if each["met_before"] != (each["signature"] in known):
            yield f"{each['signature']}: met before is {each['met_before']}"
        if each["reason"] != each["reasons"][0] or any(_blanked(text) != each["signature"] for text in each["reasons"]):
            yield f"{each['signature']}: {each['reason']} and {each['reasons']} are not its texts"


def _instants(lines: list[Line], keys: set[tuple[str, str | None]]) -> Iterator[datetime]:
    """When one of these reasons was given to a target: in an answer, else by its end."""
    answers = [line for line in lines if line["record"] == "answer_seen" and keys & {*nos_in(line)}]
    ends = [line for line in lines if line["record"] == "settled" and line["outcome"] == "rejected"]
    yield from (_at(line["at"]) for line in answers or ends)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _blanked(text: str) -> str:
    """What may differ between two texts of one reason: words with a digit, one or a list of them."""
    words = re.sub(r"\w[\w.:/@-]*", lambda word: "#" if re.search(r"\d", word[0]) else word[0], text)
    return " ".join(re.sub(r"#([\s,;]+#)+", "#", words).split())


def _reasons(lines: list[Line]) -> list[tuple[str, str | None]]:
    """Every no that a target got; at least one when it was rejected."""
    found: list[tuple[str, str | None]] = []
    for line in lines:
        if line["record"] == "answer_seen":
            found += nos_in(line)
    rejected = next((line for line in lines if line["record"] == "settled" and line["outcome"] == "rejected"), None)
    if rejected and not found:
        found.append((rejected["reason"] or "refused", rejected["error_code"]))
    return found


def _wave_problems(wave: Line, report: Line, book: Book) -> Iterator[str]:
    members = [target for target in report["targets"] if target["wave"] == wave["name"] and _is_own(target, book)]
    if wave["targets"] != len(members):
        yield f"wave {wave['name']} has {wave['targets']} targets, {len(members)} say that they are its own"
    if Counter(wave["outcomes"]) != Counter(target["outcome"] for target in members):
        yield f"wave {wave['name']} says {wave['outcomes']}, its targets say otherwise"
    lines = {line["record"]: line for line in book.lines if line.get("wave") == wave["name"] and line["step"] == "wave"}
    waits = any(target["outcome"] == "waiting" for target in members)
    over = {"wave_done"} if waits else set()
    for name, record in (("started_at", "wave_opened"), ("ended_at", "wave_done")):
        at = lines[record]["at"] if record in lines.keys() - over else None
        if wave[name] != at:
            yield f"wave {wave['name']}: {name} is {wave[name]}, the journal says {at}"
    begun = {"wave_soaking", "wave_done"} if waits and "wave_done" in lines else set()
    state = _wave_state(wave["name"], lines.keys() - begun, _hold(book))
    if wave["state"] != state:
        yield f"wave {wave['name']} is {wave['state']}, by the journal it is {state}"


def _wave_state(name: str, records: Collection[str], hold: Line | None) -> str:
    if "wave_done" in records:
        return "done"
    if hold and (hold["wave"] == name or (hold["wave"] is None and "wave_opened" in records)):
        return "held"
    if "wave_soaking" in records:
        return "soaking"
    return "open" if "wave_opened" in records else "waiting"


def _is_own(target: Line, book: Book) -> bool:
    return all(line["record"] != "outcome_kept" for line in book.of.get(target["proxy_id"], ()))


#: What closes a scope, by the record that says so.
_CLOSED = {
    "scope_given_up": "given_up",
    "scope_throttled": "throttled",
    "scope_paused": "paused",
    "scope_silent": "silent",
}
_OPENED = ("session_started", "scope_opened")
#: Before the latest session has reached a scope, nobody knows whether it can be used.
_UNREACHED = "it has not been reached in this session"


def _standing_problems(scope: Line, book: Book) -> Iterator[str]:
    """Whether state, reason and instants are what the latest session's lines of the scope come to."""
    closed: dict[str, Line] = {"unreached": {"why": _UNREACHED}}
    for line in book.named(*_OPENED, *_CLOSED, "scope_heard"):
        if line.get("scope", scope["name"]) != scope["name"]:
            continue
        if line["record"] == "session_started":
            closed = {"unreached": {"why": _UNREACHED, "since": line["at"]}}
        elif line["record"] == "scope_opened":
            closed = {}
        elif line["record"] == "scope_heard":
            closed.pop("silent", None)
        else:
            closed[_CLOSED[line["record"]]] = line
    throttle = closed.get("throttled")
    if throttle is not None and _at(throttle["until"]) <= _at(book.lines[-1]["at"]):
        del closed["throttled"]
    state = next((state for state in (*_CLOSED.values(), "unreached") if state in closed), "open")
    line = closed.get(state, {})
    since = None if state == "throttled" else line.get("since", line.get("at"))
    expected = (state, line.get("why"), line.get("until"), since)
    if (scope["state"], scope["reason"], scope["until"], scope["since"]) != expected:
        yield f"scope {scope['name']} is {scope['state']}, by the journal it is {expected}"
    asked = [line["at"] for line in book.named("scope_opened", "scope_used") if _shows_calls(line, scope["name"])]
    if scope["asked_at"] != (asked[-1] if asked else None):
        yield f"scope {scope['name']} was asked at {scope['asked_at']}, by the journal at {asked[-1:]}"


def _shows_calls(line: Line, scope: str) -> bool:
    return bool(line["scope"] == scope and line.get("calls", 1))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _scope_problems(scope: Line, book: Book) -> Iterator[str]:
    used: list[dict[str, Any]] = [line for line in book.named("scope_used") if line["scope"] == scope["name"]]
    for name in ("calls", "throttled"):
        if scope[name] != sum(line[name] for line in used):
            yield f"scope {scope['name']}: {name} is {scope[name]}, the journal says otherwise"
    if used and scope["rate_limit"] != used[-1]["rate_limit"]:
        yield f"scope {scope['name']}: rate_limit is {scope['rate_limit']}, the journal says {used[-1]['rate_limit']}"
    seconds = sum(line["seconds"] for line in used)
    attained = round(scope["calls"] / seconds, 3) if seconds > 0 else None
    if scope["rate_attained"] != attained:
        yield f"scope {scope['name']}: rate_attained is {scope['rate_attained']}, by the journal {attained}"
