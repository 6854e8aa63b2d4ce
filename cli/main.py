"""The command line. This file only registers: one line per command, each in a file of its own."""

import sys
from typing import Annotated

import typer

from emocal_rl import __version__
from emocal_rl.cli import (
    ablate,
    config,
    data,
    doctor,
    eval_compare,
    eval_paired,
    eval_recalibrate,
    eval_report,
    eval_run,
    eval_statistics,
    label,
    launch,
    pipeline,
    predict,
    report,
    rewards,
    rewards_audit,
    ring,
    runs,
    sft,
    synthesize,
    synthvec,
)
from emocal_rl.cli import eval as eval_
from emocal_rl.platform.errors import UserError

app = typer.Typer(
    name="emocal-rl",
    help="Teach vision-language models to state calibrated confidence, and measure whether they do.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("launch")(launch.launch)
app.command("sft")(sft.sft)
app.command("label")(label.label)
app.command("synthesize")(synthesize.synthesize)
app.command("pipeline")(pipeline.pipeline)
app.command("ablate")(ablate.ablate)
app.command("predict")(predict.predict)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.add_typer(config.app, name="config")
app.add_typer(runs.app, name="runs")
eval_.app.command("run")(eval_run.run)
eval_.app.command("compare")(eval_compare.compare)
eval_.app.command("report")(eval_report.report)
eval_.app.command("statistics")(eval_statistics.statistics)
eval_.app.command("paired")(eval_paired.paired)
eval_.app.command("recalibrate")(eval_recalibrate.recalibrate)
app.add_typer(eval_.app, name="eval")
app.add_typer(synthvec.app, name="synthvec")
rewards.app.command("audit")(rewards_audit.audit)
app.add_typer(rewards.app, name="rewards")
app.add_typer(ring.app, name="ring")
app.add_typer(data.app, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emocal-rl {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before any command."""


def main() -> None:
    """Run the command line: a user's error is one message and exit code 2, Ctrl-C exit code 130."""
    try:
        app()
    except UserError as error:
        print("\n".join(f"error: {line}" for line in str(error).splitlines()), file=sys.stderr)  # noqa: T201
        sys.exit(2)


if __name__ == "__main__":
    main()
