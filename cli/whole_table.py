from rich.console import Console
from rich.table import Table


def print_whole(table: Table, console: Console) -> None:
    """Print a table as wide as it is: a narrow terminal wraps its lines, and in a pipe or a file no figure is cut."""
    width = console.width
    console.width = max(width, console.measure(table, options=console.options.update(max_width=10_000)).maximum)
    console.print(table)
    console.width = width
