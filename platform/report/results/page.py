from collections.abc import Sequence

from emocal_rl.platform.report.page import render_page
from emocal_rl.platform.report.results.table import ResultTable, sections


def write_html(tables: Sequence[ResultTable]) -> str:
    """Write one page that works offline and runs no script: best bold, second best underlined, intervals beneath."""
    return render_page("results.html.jinja", "", {"sections": sections}, title="Comparison", tables=tables)
