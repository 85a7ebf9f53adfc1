"""A session that dies at a record: what is on disk, and what had left the process by then."""

from collections import Counter
from datetime import timedelta
from random import Random

from fakes.clouds import Called
from fakes.stage import Played, Stage, resume

from orchestrator.model.record.record import AnswerSeen, Intent, RunEnded, SessionEnded


def cut_anywhere(stage: Stage, played: Played, random: Random) -> Stage:
    """The stage of the session after a death at any record; perhaps calls had left whose intent was just on disk."""
    left = len(played.records) - isinstance(played.records[-1], RunEnded | SessionEnded) - bool(played.run.ended)
    return cut_off(stage, played, random.randint(2, max(2, left)), sent=random.random() < 0.5)


def cut_off(stage: Stage, played: Played, length: int, *, sent: bool) -> Stage:
    """The stage of the session after a death that left so many records.

    Args:
        stage: of the session that died.
        played: how it would have gone on.
        length: how many records it left.
        sent: whether calls had left whose intent was just on disk.
    """
    records = played.records[:length]
    died_at = max(record.at for record in records)
    intents = Counter(record.target for record in records if isinstance(record, Intent))
    answered = Counter(record.target for record in records if isinstance(record, AnswerSeen))

    def left(proxy_id: str, number: int) -> bool:
        """Whether an upgrade call had left the process when it died."""
        return number < intents[proxy_id] and (sent or number < answered[proxy_id] or left_before(proxy_id, number))

    def left_before(proxy_id: str, number: int) -> bool:
        calls = [call.at for cloud in played.clouds.values() for call in cloud.calls if is_upgrade(call, proxy_id)]
        return number < len(calls) and calls[number] < died_at

    clouds = {name: cloud.as_of(cloud.clock, left) for name, cloud in played.clouds.items()}
    return resume(stage, played, records=records, clouds=clouds, start=died_at + timedelta(minutes=1))


def is_upgrade(call: Called, proxy_id: str) -> bool:
    return call.name == "upgrade" and call.key == proxy_id
