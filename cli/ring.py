import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emocal_rl.cli.options import JsonOption

if TYPE_CHECKING:
    from emocal_rl.platform.emotions.ring import Rings

app = typer.Typer(help="Emotion rings: how far apart two labels are (equation 2).", no_args_is_help=True)

FigureOption = Annotated[
    Path | None, typer.Option("--figure", metavar="PNG|SVG", help="Also draw the rings into this file.")
]


@app.command()
def build(
    vad_lexicon: Annotated[
        str,
        typer.Option("--vad-lexicon", metavar="FILE", help="NRC VAD Lexicon, version 1 or 2.1: path or fsspec URL."),
    ],
    taxonomy: Annotated[str, typer.Option(help="mikels8, webemo7, webemo25 or all.")] = "all",
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The ring file to write.")] = Path("ring.yaml"),
    words: Annotated[
        list[str] | None,
        typer.Option("--word", metavar="LABEL=WORD", help="Look a label up under another word; may be repeated."),
    ] = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build rings from a valence-arousal-dominance lexicon that you hold.

    Each taxonomy's labels are put in the order of the shortest closed loop
    through their points, found exactly; in WebEmo-25 the children of one
    parent stay together. The file holds positions only, never the lexicon's
    values. Use it with `emocal-rl label --ring FILE`.

    Examples:
      emocal-rl ring build --vad-lexicon NRC-VAD-Lexicon-v2.1.txt
      emocal-rl ring build --vad-lexicon lexicon.csv --taxonomy webemo25 --word enthrallment=enthralled
    """
    from emocal_rl.platform.emotions.ring_building import BUILT_TAXONOMIES, build_ring
    from emocal_rl.platform.emotions.ring_file import write_rings
    from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
    from emocal_rl.platform.emotions.vad_lexicon import read_vad_points, spellings_of
    from emocal_rl.platform.errors import UserError, nearest

    if taxonomy not in (*BUILT_TAXONOMIES, "all"):
        known = (*BUILT_TAXONOMIES, "all")
        rule = f"must be one of {', '.join(known)}"
        raise UserError("--taxonomy", taxonomy, rule=rule, fix=nearest(taxonomy.lower(), known))
    _check_figure(figure)
    chosen = [TAXONOMIES[name] for name in (BUILT_TAXONOMIES if taxonomy == "all" else (taxonomy,))]
    stand_ins = _stand_ins(words or [], {label for one in chosen for label in one.labels})
    spellings = {label: word for one in chosen for label, word in spellings_of(one, stand_ins).items()}
    points = read_vad_points(vad_lexicon, spellings)
    rings = {one.name: build_ring(one, points) for one in chosen}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_rings(out, rings)
    except OSError as error:
        raise UserError(
            "--out", str(out), rule=f"cannot be written: {error.strerror}", fix="Choose another."
        ) from error
    _present(rings, figure, as_json=as_json)
    if not as_json:
        typer.echo(str(out))


@app.command()
def show(
    taxonomy: Annotated[str | None, typer.Argument(help="A taxonomy; without it all of them.")] = None,
    ring: Annotated[
        str | None, typer.Option("--ring", metavar="FILE", help="A ring file; without it the shipped rings.")
    ] = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show rings: every label's place on its loop, as a fraction of the perimeter.

    Examples:
      emocal-rl ring show
      emocal-rl ring show webemo25 --figure ring.svg
      emocal-rl ring show --ring ring.yaml --json
    """
    from emocal_rl.platform.emotions.ring_file import read_rings
    from emocal_rl.platform.errors import UserError, nearest

    rings = read_rings(ring)
    if taxonomy is not None and taxonomy not in rings:
        raise UserError(
            "TAXONOMY", taxonomy, rule=f"must be one of {', '.join(rings)}", fix=nearest(taxonomy.lower(), rings)
        )
    _check_figure(figure)
    _present({name: rings[name] for name in ([taxonomy] if taxonomy else rings)}, figure, as_json=as_json)


def _stand_ins(words: list[str], labels: set[str]) -> dict[str, str]:
    from emocal_rl.platform.errors import UserError, nearest

    stand_ins = {}
    for assignment in words:
        label, _, word = assignment.partition("=")
        if not word:
            raise UserError("--word", assignment, rule="must be LABEL=WORD")
        if label not in labels:
            raise UserError("--word", assignment, rule=f"there is no label {label}", fix=nearest(label, labels))
        stand_ins[label] = word
    return stand_ins


def _check_figure(figure: Path | None) -> None:
    if figure is not None:
        from emocal_rl.platform.report.palette import check_figure_path

        check_figure_path("--figure", figure)


def _present(rings: "Rings", figure: Path | None, *, as_json: bool) -> None:
    from emocal_rl.platform.emotions.ring_building import difference_from_shipped
    from emocal_rl.platform.emotions.taxonomy import TAXONOMIES

    if figure is not None:
        _draw(rings, figure)
    differences = {name: difference_from_shipped(TAXONOMIES[name], ring) for name, ring in rings.items()}
    if as_json:
        content = {
            name: {"positions": dict(_ordered(ring)), "difference_from_shipped": round(differences[name], 4)}
            for name, ring in rings.items()
        }
        typer.echo(json.dumps(content, indent=2))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from emocal_rl.cli.whole_table import print_whole

    console = Console()
    for name, ring in rings.items():
        taxonomy = TAXONOMIES[name]
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=name, title_justify="left", title_style="bold")
        for title in ("Label", "Parent") if taxonomy.parents else ("Label",):
            table.add_column(title, no_wrap=True)
        table.add_column("Position", justify="right")
        for label, position in _ordered(ring).items():
            parent = [taxonomy.parents[label]] if taxonomy.parents else []
            table.add_row(label, *parent, f"{position:.4f}")
        print_whole(table, console)
        console.print(
            f"largest difference of a distance from the shipped ring: {differences[name]:.4f}\n", highlight=False
        )


def _ordered(ring: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(ring.items(), key=lambda item: item[1]))


def _draw(rings: "Rings", path: Path) -> None:
    from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
    from emocal_rl.platform.errors import UserError
    from emocal_rl.platform.report.palette import write_figure
    from emocal_rl.platform.report.ring_figure import RingPanel, draw_rings

    panels = []
    for name, ring in rings.items():
        groups = TAXONOMIES[name].parents or TAXONOMIES[name].polarity
        panels.append(
            RingPanel(name, [(label, position, groups.get(label, label)) for label, position in _ordered(ring).items()])
        )
    try:
        write_figure(draw_rings(panels), path)
    except OSError as error:
        rule = f"cannot be written: {error.strerror}"
        raise UserError("--figure", str(path), rule=rule, fix="Choose another path.") from error
