"""The built-in fault profiles `none`, `light` and `harsh`, and profiles from YAML files.

A YAML profile holds the keys of `Profile`; `base: light` starts from a built-in one. Reading a file is all the I/O.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml
from msgspec.structs import replace

from orchestrator.host import open_to_read
from orchestrator.simulator.profile import Foreign, JobShares, Latency, Lists, MetricName, Profile, Regression

MAX_PROFILE_BYTES = 1_000_000
_REGRESSION = re.compile(
    rf"({'|'.join(get_args(MetricName))})=([+-][0-9]{{1,4}}(?:\.[0-9]{{1,4}})?)%@([0-9]+(?:\.[0-9]+){{1,7}})"
)


class SettingError(ValueError):
    """A setting of the simulator is wrong; the text says which, and what would be right."""


NONE = Profile(name="none")

#: A demonstration: some refusals, some failures, nothing that leaves a proxy in doubt or needs a person.
LIGHT = Profile(
    name="light",
    roles={"already": 0.05, "rejected": 0.075, "job_fails": 0.025, "accept_and_reject": 0.025},
    roles_exact=True,
    latency=Latency(median_s=0.5),
)

#: All of it at once.
HARSH = Profile(
    name="harsh",
    rates={
        "upgrade": {
            "lost_answer": 0.05,
            "lost_request": 0.05,
            "error_after": 0.03,
            "error_before": 0.03,
            "gateway_timeout": 0.03,
            "gateway_timeout_unstarted": 0.02,
            "silence": 0.01,
            "silence_unstarted": 0.01,
            "cut_body": 0.03,
            "slow_body": 0.01,
            "garbage": 0.02,
            "garbage_unstarted": 0.02,
            "empty_result": 0.02,
            "empty_result_unstarted": 0.02,
            "unknown_state": 0.02,
            "unknown_state_unstarted": 0.01,
            "accept_without_id": 0.02,
            "job_id_instead": 0.01,
            "accept_and_reject": 0.02,
            "two_accepted": 0.01,
            "rejected": 0.02,
            "refused": 0.01,
            "busy": 0.05,
            "foreign_instead": 0.02,
            "throttle": 0.02,
            "throttle_text": 0.01,
            "throttle_bare": 0.01,
            "token_refused": 0.01,
            "token_stale": 0.01,
        },
        "read": {
            "lost_answer": 0.01,
            "error_before": 0.02,
            "gateway_timeout_unstarted": 0.005,
            "silence_unstarted": 0.002,
            "cut_body": 0.01,
            "slow_body": 0.002,
            "garbage": 0.01,
            "throttle": 0.01,
            "throttle_text": 0.005,
            "throttle_bare": 0.005,
            "token_refused": 0.005,
            "token_stale": 0.002,
        },
        "iam": {"error_before": 0.05, "lost_answer": 0.02, "throttle": 0.02},
    },
    jobs=JobShares(
        end={"failed": 0.04, "hangs": 0.02, "canceled": 0.02, "unauthorized": 0.01, "unauthorized_then_runs": 0.01},
        flip={"early": 0.1, "late": 0.1, "never": 0.02},
        seen={"late": 0.1, "not_by_id": 0.03},
        health={"abnormal": 0.02, "abnormal_for_a_while": 0.05},
    ),
    roles={
        "already": 0.03,
        "drifted": 0.02,
        "not_offered": 0.02,
        "not_upgradable": 0.02,
        "gone": 0.02,
        "unwell": 0.02,
        "rejected": 0.03,
        "refused": 0.02,
    },
    lists=Lists(
        job_paging={"record": 0.1, "record_from_zero": 0.1, "overlap": 0.1, "moving": 0.1, "short": 0.1},
        instance_paging={"overlap": 0.2, "moving": 0.1, "vanishing": 0.1},
        jobs_hidden=0.1,
        jobs_name_proxy=0.5,
        without_proxy=0.05,
        proxy_twice=0.05,
        odd_types=0.2,
    ),
    foreign=Foreign(jobs=0.1, upgrades=0.02, scheduled=0.05),
    latency=Latency(median_s=0.5, sigma=0.8),
    clock_skew_s=97.0,
    token_lifetime_s=3600.0,
)

BUILT_IN = {profile.name: profile for profile in (NONE, LIGHT, HARSH)}


def profile_of(faults: Profile | str) -> Profile:
    """The profile that was given, named, or is in the YAML file of that path.

    Raises:
        SettingError: no such profile or file, or the file does not hold a profile.
    """
    if isinstance(faults, Profile):
        return faults
    return BUILT_IN.get(faults) or _from_file(Path(faults))


def with_regressions(profile: Profile, asked: Sequence[str]) -> Profile:
    """The profile with further versions under which a metric is another, such as `response=+20%@2.24.03.000`.

    Raises:
        SettingError: one of them is not of that form; the text says which.
    """
    metrics = profile.metrics
    regressions = (*metrics.regressions, *map(_regression, asked))
    return replace(profile, metrics=replace(metrics, regressions=regressions))


def _regression(text: str) -> Regression:
    found = _REGRESSION.fullmatch(text)
    if found is None:
        raise SettingError(
            f"regression: expected METRIC=+N%@VERSION such as response=+20%@2.24.03.000, with "
            f"{', '.join(get_args(MetricName))} as METRIC; got {text}"
        )
    metric, percent, version = found.groups()
    try:
        return msgspec.convert({"metric": metric, "factor": 1 + float(percent) / 100, "version": version}, Regression)
    except msgspec.ValidationError as error:
        raise SettingError(f"regression: {text}: {error}") from error


def profile_from_yaml(text: str, source: str) -> Profile:
    """The profile that a YAML text describes; `source` names it in messages.

    Raises:
        SettingError: not YAML, unknown keys, values out of range; the text names the key.
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingError(f"{source}: not valid YAML: {error}") from error
    if not isinstance(loaded, dict):
        raise SettingError(f"{source}: expected a mapping of fault settings, got {type(loaded).__name__}")
    return _convert(loaded, source)


def _convert(loaded: dict[Any, Any], source: str) -> Profile:
    base = loaded.pop("base", "none")
    if base not in BUILT_IN:
        raise SettingError(f"{source}: base: expected one of {', '.join(BUILT_IN)}, got {base!r}")
    merged = {**msgspec.to_builtins(BUILT_IN[base]), "name": source, **loaded}
    try:
        return msgspec.convert(merged, Profile)
    except msgspec.ValidationError as error:
        raise SettingError(f"{source}: {error}{_hint(str(error))}") from error


#: Of what is drawn between two bounds, all of it in seconds.
_NO_SPAN = re.compile(r"Expected `array`.* - at `\$[^`]*_s`")


def _hint(error: str) -> str:
    return "; write [least, most], also where they are the same" if _NO_SPAN.fullmatch(error) else ""


def _from_file(path: Path) -> Profile:
    try:
        with open(path, "rb", opener=open_to_read) as file:
            content = file.read(MAX_PROFILE_BYTES + 1)
    except OSError as error:
        known = ", ".join(BUILT_IN)
        raise SettingError(f"faults: {path} is neither one of {known} nor a readable file: {error.strerror}") from error
    if len(content) > MAX_PROFILE_BYTES:
        raise SettingError(f"{path}: larger than {MAX_PROFILE_BYTES} bytes")
    try:
        return profile_from_yaml(content.decode(), str(path))
    except UnicodeDecodeError as error:
        raise SettingError(f"{path}: not UTF-8 text") from error
