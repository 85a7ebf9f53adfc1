"""`orchestrator doctor`: whether everything that a night needs is there."""

import os
from collections.abc import Mapping

import msgspec

from orchestrator.app.doctor.diagnosis import Diagnosis, all_well
from orchestrator.app.doctor.diagnosis_lines import diagnosis_lines, diagnosis_sum
from orchestrator.app.doctor.doctor_document import doctor_document
from orchestrator.app.doctor.examine import examine
from orchestrator.cli.known_rates import known_rates
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_to_call, state_of
from orchestrator.cli.terminal import write, write_json
from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Plan
from orchestrator.planner.targets.resolve import resolve_targets


def run(options: Options) -> ExitCode:
    """Look at host and cloud, and print what was found."""
    plan = plan_to_call(options)
    diagnoses = _simulated(plan, options) if options.simulate else _examined(plan, plan, os.environ, options)
    well = all_well(diagnoses)
    if not (options.quiet and well):
        _show(plan, diagnoses, options)
    return ExitCode.DONE if well else ExitCode.OTHER_OUTCOMES


def _show(plan: Plan, diagnoses: list[Diagnosis], options: Options) -> None:
    if options.format == "json":
        document = msgspec.json.encode(doctor_document(plan.name, diagnoses))
        write_json(msgspec.json.format(document, indent=2).decode())
    elif options.quiet:
        write(diagnosis_lines([diagnosis for diagnosis in diagnoses if diagnosis.state == "wrong"]))
    else:
        write([*diagnosis_lines(diagnoses), diagnosis_sum(diagnoses)])


def _simulated(plan: Plan, options: Options) -> list[Diagnosis]:
    from orchestrator.app.simulate.redirect import simulated  # noqa: PLC0415  # only when it is asked for

    written = resolve_targets(plan).targets
    with simulated(plan, written, seed=options.seed, speed=options.speed, faults=options.faults) as (pointed, environ):
        return _examined(plan, pointed, environ, options)


def _examined(plan: Plan, pointed: Plan, environ: Mapping[str, str], options: Options) -> list[Diagnosis]:
    targets = resolve_targets(plan).targets
    return examine(pointed, targets, state_of(options), environ, known_rates(environ, options))
