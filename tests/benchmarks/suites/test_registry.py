from pathlib import Path

import pytest

from emocal_rl.benchmarks.suites.eemo_bench import EEmoBench
from emocal_rl.benchmarks.suites.registry import open_suite
from emocal_rl.platform.errors import UserError

HALF = """
from emocal_rl.benchmarks.suites.suite import Suite

class Half(Suite):
    def read(self, files, config):
        return None

class Other:
    pass
"""


def test_a_suite_is_known_by_name_or_path(tmp_path: Path) -> None:
    assert isinstance(open_suite("eemo"), EEmoBench)
    (tmp_path / "half.py").write_text(HALF)
    for name, message in {
        "eemo-bench": r"--bench = 'eemo-bench': must be one of: vecbench, synthvec, eemo, mvei",
        "mvie": "Did you mean 'mvei'",
        f"{tmp_path}/half.py:Half": "lacks report",
        f"{tmp_path}/half.py:Other": "must name a class of suites",
        f"{tmp_path}/half.py:None": "has no function None",
        f"{tmp_path}/none.py:Half": "there is no file",
    }.items():
        with pytest.raises(UserError, match=message):
            open_suite(name)
