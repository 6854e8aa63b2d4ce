import re

import pytest

from emocal_rl.platform.report.audit_figures import draw_effects, draw_reward
from emocal_rl.platform.report.audit_page import render_audit

CONFIDENCES = [0.0, 0.5, 1.0]


def effect(advantage: str, start: str) -> dict[str, object]:
    return {
        "advantage": advantage, "correctness": "any" if advantage == "raw" else "shared", "start": start,
        "confidences": CONFIDENCES, "p": [0.1, 0.9], "policy": [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], "mean": [0.0, 0.75],
        "near": [0.0, 0.0], "bias": 0.15, "verdict": "biased", "method": "quadrature", "error": 2e-5, "settled": True,
    }  # fmt: skip


@pytest.fixture
def audit() -> dict[str, object]:
    return {
        "proper": False, "preset": "paper", "rule": "<b>mine</b>", "estimator": "normalised", "group_size": 8,
        "num_classes": 8,
        "verdicts": [{"question": "Is it?", "answer": "No & never.", "tone": "bad", "number": None, "unit": "bias"}],
        "properness": {"verdict": "improper", "p": CONFIDENCES, "best_c": [1.0, 1.0, 1.0]},
        "honest_value": {
            "p": [0.1, 0.9], "total": [1.0, 2.0], "falls": [{"start": 0.0, "end": 0.3, "depth": 0.2}],
        },
        "totals": {"c": CONFIDENCES, "right": [None, 1.0, 2.0], "wrong": [1.0, 0.5, None]},
        "decoys": [
            {"num_classes": None, "confidence": 0.0, "configured": 0.65, "unclipped": 0.6484},
            {"num_classes": 8, "confidence": None, "configured": None, "unclipped": None},
        ],
        "exits": [
            {"name": "no tags", "right": None, "wrong": None, "beats_wrong": [], "beats_right": [], "margin": None},
            {"name": "cut", "right": -5.0, "wrong": -5.0, "beats_wrong": [(0.95, 1.0)], "beats_right": [], "margin": 1},
        ],
        "effects": [effect("raw", "uniform"), effect("normalised", "uniform"), effect("raw", "cold"),
                    effect("normalised", "cold")],
    }  # fmt: skip


def test_the_page_is_whole_and_escaped(audit: dict[str, object]) -> None:
    page = render_audit(audit, draw_reward(audit), draw_effects(audit), "reward:\n  preset: paper\n")
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert "<b>mine" not in page
    assert "No &amp; never." in page
    assert "never</td>" in page
    assert "masked</td>" in page
    assert "0.9500 &lt; c &lt; 1.0000" in page
    assert page.count("data:image/svg+xml;base64,") == 2
    assert not re.search(r"""(src|href)=["']?http""", page)
    assert "script-src" in page
    assert "<script" not in page


def test_what_was_drawn(audit: dict[str, object]) -> None:
    totals, loss, value = draw_reward(audit).axes[:3]
    assert [text.get_text() for text in totals.get_legend().get_texts()] == [
        "right answer", "wrong answer", "best malformed output, -5", "it beats a wrong answer: c > 0.950",
    ]  # fmt: skip
    assert loss.get_title(loc="left") == "What a misreport costs: improper"
    assert "decoy, certainly wrong: pays below p = 0.650" in [t.get_text() for t in value.get_legend().get_texts()]
    panels = draw_effects(audit).axes
    assert panels[0].get_ylabel() == "stated confidence, from uniform"
    assert panels[3].get_title(loc="left") == "Normalised, shared correctness: biased"
