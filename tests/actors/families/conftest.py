import importlib.util
from pathlib import Path

import pytest

# Test folders are no packages: the module beside this file is loaded by its path.
_spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).with_name("tiny_models.py"))
assert _spec is not None
assert _spec.loader is not None
_tiny_models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_tiny_models)


@pytest.fixture(scope="session", params=["qwen3_vl", "intern_vl"])
def family_policy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of an untrained tiny model of each family."""
    directory: Path = tmp_path_factory.mktemp("policy") / request.param
    getattr(_tiny_models, f"create_{request.param}")(directory)
    return directory
