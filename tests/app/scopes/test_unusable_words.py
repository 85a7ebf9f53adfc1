"""What is said of a scope that cannot be used: a project that may be mistaken is named with its place in the plan."""

from pathlib import Path

from fakes.stage import plan_of, targets_of
from msgspec import structs

from orchestrator.app.scopes.unusable_words import unusable_words

PROJECT = "054e292c9880d4992f02c0196d3ea468"
REFUSED = "HTTP 403: The project does not exist or you have no permission for it."


def test_a_project_that_the_cloud_does_not_know_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    path.write_text(f"version: 1\nproject_id: {PROJECT}\n")
    plan = plan_of(targets_of(1))
    scopes = tuple(structs.replace(scope, project_id=PROJECT) for scope in plan.scopes)
    plan = structs.replace(plan, path=str(path), scopes=scopes)
    advice = f"project_id {PROJECT}: correct it, or let these credentials use that project"
    assert unusable_words(plan, "default", REFUSED).endswith(f"{REFUSED} -> {path}:2:13: {advice}")
    path.unlink()
    assert unusable_words(plan, "default", REFUSED).endswith(f"{REFUSED} -> {advice}")
    refused = "connection refused by 127.0.0.1:8999"
    assert unusable_words(plan, "default", refused) == f"scope default cannot be used: {refused}"
    assert unusable_words(plan, "other", REFUSED) == f"scope other cannot be used: {REFUSED}"
