"""The benchmarks by name, and those of others by `package.module:Class` or `path/to/file.py:Class`."""

from collections.abc import Mapping

from emocal_rl.benchmarks.suites.eemo_bench import EEmoBench
from emocal_rl.benchmarks.suites.mvei import MVEI
from emocal_rl.benchmarks.suites.suite import Suite
from emocal_rl.benchmarks.suites.vecbench import SynthVEC, VECBench
from emocal_rl.platform.errors import UserError, nearest
from emocal_rl.rewards.plugins import load_function

SUITES: Mapping[str, type[Suite]] = {"vecbench": VECBench, "synthvec": SynthVEC, "eemo": EEmoBench, "mvei": MVEI}


def open_suite(name: str) -> Suite:
    """Return a benchmark.

    Raises:
        UserError: there is none of this name, or the class is none.
    """
    if ":" not in name:
        if name in SUITES:
            return SUITES[name]()
        fix = nearest(name, SUITES) or "A suite of yours: path/to/file.py:Class (CONTRIBUTING.md)."
        raise UserError("--bench", name, rule=f"must be one of: {', '.join(SUITES)}", fix=fix)
    found = load_function(name, key="--bench")
    if not isinstance(found, type) or not issubclass(found, Suite):
        fix = "Derive it from emocal_rl.benchmarks.suites.suite.Suite (CONTRIBUTING.md)."
        raise UserError("--bench", name, rule="must name a class of suites", fix=fix)
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        rule = f"lacks {', '.join(missing)}"
        raise UserError("--bench", name, rule=rule, fix="Define it in the class (CONTRIBUTING.md).")
    return found()
