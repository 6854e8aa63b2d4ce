import io

from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole


def test_no_figure_is_cut_however_narrow_the_output() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=20)
    table = Table("Stage", "WebEmo-25", "Total", box=None)
    table.add_row("stage-1", "12,371", "86,067")
    print_whole(table, console)
    assert stream.getvalue().splitlines()[1].split() == ["stage-1", "12,371", "86,067"]
    assert console.width == 20
