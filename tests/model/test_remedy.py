"""What to do about a refusal: where it is known, and silence where only a person can tell."""

import pytest

from orchestrator.model.reply.remedy import remedy_of


@pytest.mark.parametrize(
    ("text", "code", "remedy"),
    [
        ("Upgrade failed due to insufficient subnet ip", None, "addresses in the subnet"),
        ("needed 3, left 1", "DBS.05000020", "addresses in the subnet"),
        ("Another operation is running.", "DBS.200019", "another operation"),
        ("Parameter error.", "DBS.280001", "target_version"),
        ("Forbidden.", "APIGW.0302", "credentials"),
    ],
)
def test_a_known_reason_has_its_remedy(text: str, code: str | None, remedy: str) -> None:
    assert remedy in (remedy_of(text, code) or "")


def test_nothing_is_advised_about_an_unknown_reason() -> None:
    assert remedy_of("agent is drunk", None) is None
    assert remedy_of("insufficient funds", "DBS.999999") is None
