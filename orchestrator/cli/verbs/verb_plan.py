"""`orchestrator plan`: the preview."""

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from msgspec import structs

from orchestrator.app.preview.preview_plan import PreviewedPlan, PreviewRequest, preview_plan
from orchestrator.cli.options import Options
from orchestrator.cli.place import expect_folder, place_words, plan_to_call, plan_words, redirect_of, state_of
from orchestrator.cli.terminal import Counter, Search, forget, live, rows, tell, write, write_file, write_json
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import Outcome
from orchestrator.planner.next_run import Asked
from orchestrator.planner.preview.preview_values import Preview


def run(options: Options) -> ExitCode:
    """Check the plan and show what would happen; after a run for this version, what has changed since."""
    expect_folder("--report", options.report)
    expect_folder("--metrics", options.metrics)
    _expect_savable(options)
    plan = plan_to_call(options)
    request = preview_request(plan, options)
    found = preview_plan(request)
    _show(
        structs.replace(found.preview, state=(*found.preview.state, *_bounds(options, request.asked))), found, options
    )
    _tell_of_scopes(found)
    _save(found, request, options)
    return _code(found)


def _tell_of_scopes(found: PreviewedPlan) -> None:
    if found.unusable:
        from orchestrator.app.scopes.unusable_words import unusable_words  # noqa: PLC0415  # hardly ever needed

        for name, why in found.unusable.items():
            tell(f"orchestrator: {unusable_words(found.plan, name, why)}")


def _expect_savable(options: Options) -> None:
    if options.out is not None:
        from orchestrator.app.approve.save_preview import expect_savable  # noqa: PLC0415  # only when it is asked for

        expect_folder("--out", options.out)
        expect_savable(options.plan, options.out, offline=options.offline)


def _save(found: PreviewedPlan, request: PreviewRequest, options: Options) -> None:
    if options.out is None:
        return
    from orchestrator.app.approve.save_preview import save_preview  # noqa: PLC0415  # only when it is asked for

    sha256 = save_preview(found, request, options.overrides, options.plan, options.out)
    if not options.quiet:
        tell(f"saved: {options.out}, sha256 {sha256}")
        tell(f"run exactly this: {' '.join(['orchestrator run', *_saved_words(options.out, options)])}")


def _saved_words(out: Path, options: Options) -> Iterator[str]:
    """The saved preview as `run` has to name it."""
    yield from (quote(str(out)), *place_words(options))


def preview_request(plan: Plan, options: Options) -> PreviewRequest:
    """What the options ask of a preview."""
    shown = live(no_progress=options.no_progress, quiet=options.quiet)
    return PreviewRequest(
        plan=plan,
        state=state_of(options),
        environ=os.environ,
        now=SystemClock().now(),
        asked=_asked(plan, options),
        warn=_warn,
        on_found=Search(shown=shown),
        on_read=Counter("read", shown=shown),
        on_wait=forget if options.quiet else tell,
        offline=options.offline,
        forecast=options.forecast,
        redirect=redirect_of(options),
    )


def _asked(plan: Plan, options: Options) -> Asked:
    """What the options of a start ask for; `run` checks the same."""
    from orchestrator.app.process.start_bound import (  # noqa: PLC0415  # brings time zones along
        longest_s,
        seconds,
        start_bound,
    )

    return Asked(
        new=options.new,
        only=None if options.only_outcome is None else frozenset(map(Outcome, options.only_outcome)),
        until=start_bound(options.until, SystemClock().now()),
        longest_s=longest_s(options.max_duration),
        wait_s=seconds(options.wait, "--wait"),
        named=plan_words(plan, options),
    )


def _bounds(options: Options, asked: Asked) -> Iterator[str]:
    """When the session would stop starting, in words; `run` says the same."""
    from orchestrator.app.process.start_bound import spoken_bound  # noqa: PLC0415  # brings time zones along

    if asked.until is not None:
        yield spoken_bound(asked.until)
    if asked.longest_s is not None:
        yield f"nothing starts when the session has lasted {options.max_duration}"


def _warn(warning: str) -> None:
    tell(f"orchestrator: {warning}")


def _code(found: PreviewedPlan) -> ExitCode:
    if found.unusable:
        return ExitCode.SCOPE_UNUSABLE
    audited = found.preview.audit
    news = bool(found.wrong) if audited is None else audited.news
    return ExitCode.OTHER_OUTCOMES if news else ExitCode.DONE


def _show(preview: Preview, found: PreviewedPlan, options: Options) -> None:
    if options.quiet:
        _show_trouble(preview)
        return
    if options.format == "json":
        import msgspec  # noqa: PLC0415  # only for this format

        write_json(msgspec.json.format(msgspec.json.encode(preview)).decode())
        return
    if found.read_nothing:
        return
    if options.format == "html":
        from orchestrator.planner.preview.page.preview_page import preview_chunks  # noqa: PLC0415  # as above

        command = _command(found.plan, options) if preview.starts else None
        write_file(preview_chunks(preview, found.plan, simulated=options.simulate, command=command), options.format)
        return
    from orchestrator.planner.preview.preview_text import table  # noqa: PLC0415  # only for this format

    if options.simulate and not options.offline:
        write(["simulated cloud: nothing here is real"])
    write(table(preview, rows=rows()))
    if preview.starts and not (options.offline or options.out or _changes_the_start(options)):
        write([f"nothing was sent; next: orchestrator run {plan_words(found.plan, options)}"])


def _command(plan: Plan, options: Options) -> str:
    """What starts exactly this, with all that the preview was asked with."""
    if options.out is not None:
        return " ".join(["orchestrator run", *_saved_words(options.out, options)])
    return " ".join(["orchestrator run", plan_words(plan, options), *map(quote, _start_words(options))])


def _start_words(options: Options) -> Iterator[str]:
    yield from (f"--set={key}={value}" for key, value in options.overrides.items())
    yield from ["--new"] if options.new else []
    yield from ["--only-outcome", ",".join(sorted(options.only_outcome))] if options.only_outcome else []
    yield from ["--until", options.until] if options.until else []
    yield from ["--max-duration", options.max_duration] if options.max_duration else []


def _changes_the_start(options: Options) -> bool:
    """Whether a start with the plan alone would do something else."""
    return bool(options.only_outcome or options.new or options.until or options.max_duration or options.overrides)


def _show_trouble(preview: Preview) -> None:
    """With --quiet: the audit when it has news, so that cron has something to send."""
    if preview.audit is not None and preview.audit.news:
        from orchestrator.planner.preview.audit_text import audit_lines  # noqa: PLC0415  # only when it is needed

        write(audit_lines(preview.audit, rows=rows()))
