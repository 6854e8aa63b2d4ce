import html
import re

import pytest

from emocal_rl.platform.report.results.latex import escape_latex, write_latex
from emocal_rl.platform.report.results.markdown import escape_markdown, write_markdown
from emocal_rl.platform.report.results.page import write_html
from emocal_rl.platform.report.results.table import Cell, Column, Mark, ResultRow, ResultTable
from emocal_rl.platform.report.results.text import write_text

HOSTILE = "a|b_c$d & 50% #1 {x} ~^\\ </td><script>alert(1)</script>\n\x00\u2028\ud800*"


def table(name: str = "ours") -> ResultTable:
    columns = [Column("FI-8", "Acc"), Column("FI-8", "F1"), Column("FI-2", "ECE", lower_is_better=True)]
    rows = [
        ResultRow("A", [Cell(69.7), Cell(70.0), Cell()], "Ans", "Published"),
        ResultRow("B", [Cell(59.704), Cell(58.16), Cell(0.37)], "Verb", "Published"),
        ResultRow(name, [Cell(59.6951, (55.02, 63.98)), Cell(80.0, is_partial=True), Cell(4.76)], "Verb", "Ours"),
    ]
    return ResultTable("Prediction", columns, rows, ["A note: 100 %."], "Confidence")


def test_marks_are_of_values_as_printed() -> None:
    best, second = Mark.BEST, Mark.SECOND
    # 59.704 and 59.6951 print alike; a partial value, though the highest, is not ranked; two values have no second
    assert table().marks() == [[best, best, None], [second, None, best], [second, None, None]]


def test_one_value_is_not_the_best_of_anything() -> None:
    lonely = ResultTable("", [Column("", "Acc")], [ResultRow("A", [Cell(1.0)]), ResultRow("B", [Cell()])])
    assert lonely.marks() == [[None], [None]]


def test_markdown() -> None:
    assert write_markdown([table()]).splitlines() == [
        "### Prediction",
        "",
        r"| Model | Confidence | FI\-8 Acc ↑ | FI\-8 F1 ↑ | FI\-2 ECE ↓ |",
        "| --- | --- | ---: | ---: | ---: |",
        "| *Published* |  |  |  |  |",
        "| A | Ans | **69.70** | **70.00** | – |",
        "| B | Verb | <ins>59.70</ins> | 58.16 | **0.37** |",
        "| *Ours* |  |  |  |  |",
        "| ours | Verb | <ins>59.70</ins> [55.0–64.0] | 80.00† | 4.76 |",
        "",
        "- A note: 100 %.",
    ]


def test_latex() -> None:
    lines = write_latex([table()]).splitlines()
    assert lines == [
        r"% \usepackage{booktabs}",
        r"\begin{table}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        r"\caption{Prediction.}",
        r"\begin{tabular}{llrrr}",
        r"\toprule",
        r" &  & \multicolumn{2}{c}{FI-8} & \multicolumn{1}{c}{FI-2} \\",
        r"\cmidrule(lr){3-4}\cmidrule(lr){5-5}",
        r"Model & Confidence & Acc $\uparrow$ & F1 $\uparrow$ & ECE $\downarrow$ \\",
        r"\midrule",
        r"\multicolumn{5}{l}{\textit{Published}} \\",
        r"A & Ans & \textbf{69.70} & \textbf{70.00} & -- \\",
        r"B & Verb & \underline{59.70} & 58.16 & \textbf{0.37} \\",
        r"\midrule",
        r"\multicolumn{5}{l}{\textit{Ours}} \\",
        r"ours & Verb & \underline{59.70} & 80.00$^\dagger$ & 4.76 \\",
        r" &  & {\scriptsize 55.0--64.0} &  &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip\footnotesize\raggedright",
        r"A note: 100 \%.",
        r"\end{table}",
    ]


def test_text() -> None:
    lines = [re.sub(r"\s+", " ", line).strip() for line in write_text([table()]).splitlines() if line.strip("─ ")]
    assert lines == [
        "Prediction",
        "FI-8 FI-2",
        "Model Confidence Acc ↑ F1 ↑ ECE ↓",
        "Published",
        "A Ans 69.70* 70.00* –",
        "B Verb 59.70+ 58.16 0.37*",
        "Ours",
        "ours Verb 59.70+ 80.00† 4.76",
        "55.0–64.0",
        "* best, + second best",
        "A note: 100 %.",
    ]


def test_html() -> None:
    page = write_html([table()])
    cells = re.findall(r'<td class="n( \w+)?"><span>(.*?)</span>(?:<small>(.*?)</small>)?</td>', page)
    assert cells == [
        (" best", "69.70", ""), (" best", "70.00", ""), ("", "–", ""),
        (" second", "59.70", ""), ("", "58.16", ""), (" best", "0.37", ""),
        (" second", "59.70", "55.0–64.0"), ("", "80.00†", ""), ("", "4.76", ""),
    ]  # fmt: skip
    assert "script-src &#39;none&#39;" in page
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="', page) == []


def test_what_a_name_holds_is_only_text() -> None:
    hostile = table(HOSTILE)
    page = write_html([hostile])
    page.encode()  # no lone surrogate is left
    assert "<script>" not in page
    assert html.escape("</td><script>alert(1)</script>") in page
    assert r"a\|b\_c\$d &amp; 50% \#1 \{x\} \~^\\ &lt;/td&gt;" in write_markdown([hostile])
    (line,) = (line for line in write_latex([hostile]).splitlines() if line.startswith("a\\textbar"))
    assert line.startswith(
        r"a\textbar{}b\_c\$d \& 50\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} \textless{}/td"
    )
    assert line.endswith(
        r"alert(1)\textless{}/script\textgreater{} * & Verb & \underline{59.70} & 80.00$^\dagger$ & 4.76 \\"
    )
    assert all(character.isprintable() or character == "\n" for character in write_text([hostile]))


@pytest.mark.parametrize("escape", [escape_latex, escape_markdown])
def test_plain_words_stay(escape) -> None:
    assert escape("Qwen2.5 VL, 2025b") == "Qwen2.5 VL, 2025b"


@pytest.mark.parametrize("label", ["[2] ours", "*ours"])
def test_a_name_is_no_argument_of_the_line_break_before_it(label: str) -> None:
    rows = [ResultRow(name, [Cell(1.0)]) for name in ("a", label)]
    assert f"\n{{}}{label} & " in write_latex([ResultTable("T", [Column("", "Acc")], rows)])
