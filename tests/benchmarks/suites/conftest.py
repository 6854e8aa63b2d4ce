import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config


@pytest.fixture
def config() -> Config:
    return resolve_config()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write rows as one JSON list; return the path."""

    def make(*rows: Any, name: str = "rows.json") -> str:
        (tmp_path / name).write_text(json.dumps(list(rows)))
        return str(tmp_path / name)

    return make
