"""The page of a reward audit: verdicts, pictures and tables in one file that works offline."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from emocal_rl.platform.report.html import format_number
from emocal_rl.platform.report.page import render_page, svg_uri
from emocal_rl.platform.report.palette import to_svg


def render_audit(audit: Mapping[str, Any], reward: Figure, effects: Figure, config_yaml: str) -> str:
    """Render `Audit.to_dict()` with its two pictures; `config_yaml` shows the composition and the estimator."""
    figures = (
        (
            "The reward",
            "Left: the total of a right and a wrong answer by its confidence. Middle: what stating c costs where p is "
            "the truth, on a square-root scale; a proper reward is white along the diagonal. Right: what a calibrated "
            "policy earns; below a mark, an answer chosen to be wrong with a low confidence earns more.",
            reward,
        ),
        (
            "The advantage estimator",
            "Where the expected policy gradient takes a softmax policy over a grid of confidences, for each success "
            "probability. Correctness is shared where all responses of a group give the same answer, else independent; "
            "models lie between, and the verdict comes from shared.",
            effects,
        ),
    )
    return render_page(
        "audit.html.jinja",
        None,
        {"number": format_number},
        audit=audit,
        config=config_yaml,
        figures=[(title, caption, svg_uri(to_svg(figure))) for title, caption, figure in figures],
    )
