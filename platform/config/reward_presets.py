"""Whole reward compositions by name, as the values that differ from `RewardConfig`'s defaults."""

import math
from collections.abc import Mapping
from typing import Any, Literal

PresetName = Literal["paper", "split-credit", "official", "rlcr", "rewarding-doubt", "sayself"]

_RD_LOWEST, _RD_HIGHEST = -6.907755278982137 / 2, math.log(0.999)
_RD_SCALE = 10.0

REWARD_PRESETS: Mapping[str, Mapping[str, Any]] = {
    # R_format + R_correct + log c or log(1 - c) (arXiv 2512.15528, equation 4).
    "paper": {},
    # R_format + R_correct teach the answer, - 6 (y - c)^2 the tokens of the confidence. The Brier score with the log
    # score's curvature at c = .91, where both lose 6 (p - c)^2 to second order: three times as sharp as that one is at
    # 1/2, and at the ends, where it costs up to 6.9 (clipped at 1e-3), no dearer.
    "split-credit": {"confidence": {"rule": "brier", "weight": 6.0, "teaches": "confidence"}},
    # -5 unless readable, else 1 + R_correct + 2 log c or log(1 - c), unclipped (github.com/wdqqdw/EmoCaliber).
    "official": {
        "protocol": "official",
        "confidence": {"rule": "loglik", "weight": 2.0, "invalid": "zero", "params": {"clip": 0.0}},
        "malformed_total": -5.0,
    },
    # 0.5 format + 0.5 y + 0.5 (1 - (y - c)^2); nothing without the format, which includes a number in [0, 1]; of
    # repeated tags the last counts (arXiv 2507.16806, equation 2; weights and gating of github.com/damanimehul/RLCR).
    "rlcr": {
        "well_formed": "grammar-and-confidence",
        "repeated": "last-wins",
        "format": {"weight": 0.5},
        "correctness": {"weight": 0.5, "gate": "format"},
        "confidence": {"rule": "brier", "weight": 0.5, "offset": 1.0, "gate": "format"},
    },
    # 10 ((s - m) / (M - m) + y / 4), s the log score of c clipped to [.001, .999], m = log(.001) / 2, M = log(.999);
    # -30 where answer or confidence cannot be read (arXiv 2503.02623; constants of github.com/pasta99/RewardingDoubt,
    # single answers).
    "rewarding-doubt": {
        "well_formed": "answer-and-confidence",
        "format": {"weight": 0.0},
        "correctness": {"weight": _RD_SCALE / 4},
        "confidence": {
            "rule": "loglik",
            "weight": _RD_SCALE / (_RD_HIGHEST - _RD_LOWEST),
            "offset": -_RD_LOWEST,
            "params": {"clip": 1e-3},
        },
        "malformed_total": -3 * _RD_SCALE,
    },
    # 2 (0.5 - (y - c)^2); a confidence that cannot be read is 0 (arXiv 2405.20974, `calculate_reward` of
    # github.com/tianyang-x/SaySelf).
    "sayself": {
        "format": {"weight": 0.0},
        "correctness": {"weight": 0.0},
        "confidence": {"rule": "brier", "weight": 2.0, "offset": 0.5, "invalid_as": 0.0},
    },
}
"""What each preset gives the keys that are not set."""
