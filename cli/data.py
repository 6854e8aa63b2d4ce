"""Convert, check, measure, split and look at dataset files."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import JsonOption

if TYPE_CHECKING:
    from emocal_rl.cli.live import LiveView
    from emocal_rl.platform.data.images import ImageLimits
    from emocal_rl.platform.data.statistics import StageStatistics

app = typer.Typer(help="Convert, validate, measure, split and view dataset files.", no_args_is_help=True)

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="Path or fsspec URL; JSONL or Parquet, any format.")]
FilesArgument = Annotated[list[str], typer.Argument(metavar="FILE...", help="Paths or fsspec URLs, any format.")]
ImageRootOption = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Folder or URL the image references are relative to; default is the file's own."),
]
RemoteOption = Annotated[bool, typer.Option("--allow-remote-images", help="Open images that are URLs.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
SourceOption = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Take a row's source from its image path (the group), not from its task."),
]


@app.command()
def convert(
    source: FileArgument,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Path or fsspec URL to write.")],
    to: Annotated[str, typer.Option(help="ms-swift (VEC-CoT), ms-swift-query, verl or vecbench.")],
    image_root: ImageRootOption = None,
    images: Annotated[
        str, typer.Option(help="How to refer to images: relative to the image root, absolute, or embed their bytes.")
    ] = "relative",
    drop: Annotated[
        list[str] | None, typer.Option(metavar="PART", help="Drop what the format cannot hold: response, loss, extra.")
    ] = None,
    split_name: Annotated[str, typer.Option("--split", help="The split that verl rows say they are of.")] = "train",
    verify: Annotated[bool, typer.Option("--verify", help="Read the target back and compare the streams.")] = False,
    allow_remote: RemoteOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a file in another format, row by row in constant memory.

    Rows of any format are read, told apart by their keys. Every format holds
    id, images, question, candidates, label, task and system prompt; beyond that:

                      response   loss mask   image bytes   needs
      ms-swift        yes        yes         data URI      -
      ms-swift-query  yes        no          data URI      -
      vecbench        yes        no          data URI      task, candidates
      verl            no         no          yes           -

    A row that would lose something is refused until --drop names it. verl's
    data_source, ability, split and index are written anew.

    Examples:
      emocal-rl data convert vec-cot-3.jsonl vec-cot-3.parquet --to verl --drop response
      emocal-rl data convert rows.parquet rows.jsonl --to ms-swift --images embed --verify
      emocal-rl data convert zip://test.jsonl::vecbench.zip test.parquet --to verl --split test
    """
    from emocal_rl.platform.data.convert import ConversionOptions, ImageStyle, verify_conversion
    from emocal_rl.platform.data.convert import convert as convert_file
    from emocal_rl.platform.data.formats import Format, Part
    from emocal_rl.platform.data.location import Location

    options = ConversionOptions(
        image_root,
        _choice(ImageStyle, "--images", images),
        frozenset(_choice(Part, "--drop", part) for part in drop or ()),
        split_name,
        overwrite,
        _limits(allow_remote),
    )
    with _view() as view:
        written = convert_file(source, target, _choice(Format, "--to", to), options, view)
        if verify:
            verify_conversion(target, written, view)
    dropped = "".join(f", without {count:,} x {part}" for part, count in written.dropped.items())
    typer.echo(f"{target}: {written.num_rows:,} rows{dropped}" + ", read back and equal" * verify)
    if options.images is ImageStyle.RELATIVE and str(Location.parse(target).parent) != written.root:
        typer.echo(f"Its images are relative to {written.root}: read it with that image root.")


@app.command()
def validate(
    files: FilesArgument,
    test: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Test data whose images (same bytes) must not occur.")
    ] = None,
    image_root: ImageRootOption = None,
    test_image_root: Annotated[
        str | None, typer.Option(metavar="DIR", help="Image root of --test; default is each file's own folder.")
    ] = None,
    images: Annotated[str, typer.Option(help="How closely to look at images: off, header or decode.")] = "decode",
    max_problems: Annotated[int, typer.Option(min=0, help="Print at most so many; 0 prints all.")] = 100,
    allow_remote: RemoteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find every problem of dataset files. Exit code 1 when there is one.

    One line each: FILE:LINE: [rule] what is wrong. Rules: encoding, json,
    format, field, roles, placeholders, id, task, candidates, label, response,
    loss, image, leak, empty, unreadable.

    Examples:
      emocal-rl data validate vec-cot-1.jsonl vec-cot-2.jsonl --test vecbench.jsonl
      emocal-rl data validate train.parquet --image-root /data/images --images header
    """
    from emocal_rl.platform.data.content import hash_files
    from emocal_rl.platform.data.validate import ImageCheck, ValidationOptions
    from emocal_rl.platform.data.validate import validate as validate_file

    counts: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    with _view() as view:
        limits = _limits(allow_remote)
        test_images = hash_files(test or (), test_image_root, limits, view)
        options = ValidationOptions(image_root, _choice(ImageCheck, "--images", images), limits, test_images)
        for file in files:
            for problem in validate_file(file, options, view):
                counts[problem.rule] += 1
                if max_problems and counts.total() > max_problems:
                    continue
                if as_json:
                    shown.append({name: getattr(problem, name) for name in ("file", "line", "rule", "message")})
                else:
                    typer.echo(str(problem))
    total = counts.total()
    if as_json:
        typer.echo(json.dumps({"num_problems": total, "by_rule": dict(counts), "problems": shown}, indent=2))
    else:
        by_rule = ", ".join(f"{count} {rule}" for rule, count in counts.most_common())
        hidden = (
            f"; {total - max_problems} not shown, see --max-problems" if max_problems and total > max_problems else ""
        )
        typer.echo(f"{total} problems: {by_rule}{hidden}" if total else "No problems.")
    if total:
        raise typer.Exit(1)


@app.command()
def stats(
    files: FilesArgument,
    image_root: ImageRootOption = None,
    tokenizer: Annotated[
        str | None, typer.Option(metavar="PATH", help="Count tokens of this model or tokenizer.json, not words.")
    ] = None,
    source_pattern: SourceOption = None,
    with_images: Annotated[bool, typer.Option("--images/--no-images", help="Open the images for their sizes.")] = True,
    out: Annotated[
        Path | None, typer.Option(metavar="PNG|HTML", help="Also draw the pictures, or write a page with everything.")
    ] = None,
    allow_remote: RemoteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Count rows by stage (one file each) and source, as in Table 1 of the paper; lengths and image sizes.

    Examples:
      emocal-rl data stats stage-1.jsonl stage-2.jsonl stage-3.jsonl --out corpus.html
      emocal-rl data stats vec-cot.jsonl --tokenizer Qwen2.5-VL-7B/ --no-images --json
      emocal-rl data stats vec-cot.jsonl --source-pattern '/(EmoSet|WebEmo|FI)/'
    """
    from emocal_rl.platform.data.lengths import count_words, token_counter
    from emocal_rl.platform.data.sources import source_pattern as compile_pattern
    from emocal_rl.platform.data.statistics import measure_stage
    from emocal_rl.platform.errors import UserError

    if out is not None and out.suffix.lower() not in {".png", ".html"}:
        raise UserError("--out", str(out), rule="must be a .png or .html file")
    count_lengths = token_counter(tokenizer) if tokenizer else count_words
    pattern, limits = compile_pattern(source_pattern), _limits(allow_remote) if with_images else None
    with _view() as view:
        stages = [
            measure_stage(file, view, count_lengths, image_root=image_root, pattern=pattern, limits=limits)
            for file in files
        ]
    unit = "tokens" if tokenizer else "words"
    if out is not None:
        _write(out, _draw(stages, unit, out))
    if as_json:
        typer.echo(json.dumps({"unit": unit, "stages": [stage.to_dict() for stage in stages]}, indent=2))
        return
    from emocal_rl.cli.data_tables import print_corpus

    print_corpus(stages, unit)


@app.command()
def split(
    files: FilesArgument,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder for stage-1, stage-2 and stage-3.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed: another split of the same sizes.")] = 0,
    image_root: ImageRootOption = None,
    by_content: Annotated[
        bool, typer.Option("--by-content/--by-reference", help="Tell images apart by their bytes, or by their paths.")
    ] = True,
    source_pattern: SourceOption = None,
    allow_remote: RemoteOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Split a corpus 6:3:1 into the data of the three stages.

    Sizes are exact (by floor, the rest to stage 3), sources keep their shares
    (largest remainders), rows with the same image stay in one stage, and the
    same seed gives the same split. Rows are written as they are.

    Examples:
      emocal-rl data split vec-cot.jsonl --out split/ --seed 1
      emocal-rl data split emoset.jsonl webemo.jsonl --image-root /data --out split/
    """
    from emocal_rl.cli.data_tables import print_split
    from emocal_rl.platform.data.location import Location
    from emocal_rl.platform.data.sources import source_pattern as compile_pattern
    from emocal_rl.platform.data.split import SplitOptions
    from emocal_rl.platform.data.split import split as split_files

    options = SplitOptions(
        seed, image_root, by_content, compile_pattern(source_pattern), overwrite, _limits(allow_remote)
    )
    with _view() as view:
        done = split_files(files, out, options, view)
    print_split(done)
    if str(Location.parse(done.files[0]).parent) != done.root:
        typer.echo(f"Image references are relative to {done.root}: read the files with that image root.")


@app.command()
def view(
    file: FileArgument,
    out: Annotated[Path, typer.Option(metavar="HTML", help="The page to write.")] = Path("samples.html"),
    limit: Annotated[int, typer.Option(min=1, help="So many rows, drawn evenly over the file.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other rows.")] = 0,
    image_root: ImageRootOption = None,
    allow_remote: RemoteOption = False,
) -> None:
    """Write a page to browse samples: images, questions, labels, responses and what of them carries loss.

    Examples:
      emocal-rl data view vec-cot-2.jsonl --out vec-cot-2.html
      emocal-rl data view rows.parquet --limit 1000 --image-root /data/images
    """
    from emocal_rl.platform.config.data import DataConfig
    from emocal_rl.platform.data.location import Location
    from emocal_rl.platform.data.row_count import count_rows
    from emocal_rl.platform.data.samples import read_examples
    from emocal_rl.platform.report.dataset_page import draw_sample, render_samples
    from emocal_rl.platform.report.images import image_loader

    with _view() as progress:
        progress.phase(f"reading {file}", count_rows(file))
        examples, num_rows = draw_sample(read_examples(file, image_root), limit, seed)
        loader = image_loader(DataConfig(allow_remote_images=allow_remote))
        page = render_samples(Location.parse(file).stem, examples, num_rows, loader)
    _write(out, page.encode())
    typer.echo(str(out))


def _choice(choices: Any, option: str, value: str) -> Any:
    """Return the member of a text enumeration that an option names."""
    from emocal_rl.platform.errors import UserError, nearest

    names = [member.value for member in choices]
    if value not in names:
        raise UserError(option, value, rule=f"must be one of: {', '.join(names)}", fix=nearest(value, names))
    return choices(value)


def _limits(allow_remote: bool) -> "ImageLimits":
    from emocal_rl.platform.data.images import ImageLimits

    return ImageLimits(allow_remote=allow_remote)


def _view() -> "LiveView":
    """Return the progress display; it goes to stderr, so that stdout holds the result alone."""
    from rich.console import Console

    from emocal_rl.cli.live import open_view

    return open_view(Console(stderr=True))


def _draw(stages: "list[StageStatistics]", unit: str, out: Path) -> bytes:
    if out.suffix.lower() == ".png":
        from emocal_rl.platform.report.dataset_figures import corpus_png

        return corpus_png(stages, unit)
    from emocal_rl.platform.report.dataset_page import render_statistics

    return render_statistics(stages, unit).encode()


def _write(out: Path, data: bytes) -> None:
    from emocal_rl.platform.errors import UserError
    from emocal_rl.platform.runs.atomic import replacing

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        rule = f"cannot be written: {error.strerror or error}"
        raise UserError("--out", str(out), rule=rule, fix="Choose another place.") from error
