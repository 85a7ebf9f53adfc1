"""What to do about a reason for which the cloud refused an upgrade, where that is known. Pure.

Source: the error codes that Huawei Cloud documents for TaurusDB and RDS, and the REJECT text of its example.
"""

from typing import NamedTuple


class _Known(NamedTuple):
    codes: tuple[str, ...]
    words: tuple[str, ...]
    remedy: str

    def means(self, text: str, error_code: str | None) -> bool:
        """Whether a refusal is of this kind."""
        return error_code in self.codes or any(words in text.casefold() for words in self.words)


_ADDRESSES = _Known(
    ("DBS.05000020",),
    ("insufficient subnet ip",),
    "free or add addresses in the subnet of the proxy; the new nodes seem to be built beside the old ones",
)
_KNOWN = (
    _ADDRESSES,
    _Known(("DBS.05000001",), (), "the kernel of the database is too old for this: upgrade the instance first"),
    _Known(("DBS.05000022",), (), "correct the ids: this proxy belongs to another instance"),
    _Known(("DBS.270024",), (), "correct proxy_id, or take it out of the plan: there is no such proxy"),
    _Known(("DBS.280449",), (), "the instance is frozen: look for unpaid bills"),
    _Known(("DBS.200316",), (), "enlarge the storage of the instance: it is full"),
    _Known(("DBS.201205",), (), "redo it when the backup of the instance has ended"),
    _Known(
        ("DBS.200019", "DBS.200011", "DBS.200047", "DBS.201202", "DBS.212006", "DBS.212033", "DBS.201015"),
        (),
        "see in the console whether another operation runs on the instance, or whether it is faulty, then redo it",
    ),
    _Known(
        ("DBS.200086", "DBS.201014", "DBS.280406", "DBS.05000084"),
        (),
        "see in the console in which state the instance is: an upgrade is not allowed in it",
    ),
    _Known(
        ("DBS.200001", "DBS.200004", "DBS.280001", "DBS.290000", "DBS.280204", "DBS.212017"),
        (),
        "look whether target_version is on offer, and whether the ids are right: the cloud takes a parameter for wrong",
    ),
    _Known(
        ("DBS.200010", "DBS.200604", "DBS.200044", "DBS.201003", "DBS.280015"),
        (),
        "look whether these credentials may upgrade it, and whether the ids and project_id are right",
    ),
    _Known(
        ("DBS.200002", "DBS.200045", "DBS.200408", "DBS.200602", "DBS.201028", "DBS.290005", "DBS.290011"),
        (),
        "correct instance_id or project_id: there is no such instance",
    ),
    _Known(
        ("APIGW.0302", "APIGW.0304", "APIGW.0306", "APIGW.0310", "APIGW.0802"),
        (),
        "look whether these credentials may use this project and region",
    ),
)


def remedy_of(text: str, error_code: str | None) -> str | None:
    """What to do about it; None where only a person can tell."""
    return next((known.remedy for known in _KNOWN if known.means(text, error_code)), None)


def wants_addresses(text: str, error_code: str | None) -> bool:
    """Whether the cloud refused an upgrade as its subnet had too few addresses."""
    return _ADDRESSES.means(text, error_code)
