"""Finding a function by `package.module:function` or `path/to/file.py:function`."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from emocal_rl.platform.errors import RewardError, nearest


def load_function(path: str, *, key: str) -> Callable[..., Any]:
    """Import a module or a file and return the function it names.

    Raises:
        RewardError: no such file, module or function, or importing it fails.
    """
    target, _, name = path.rpartition(":")
    if not target or not name:
        rule = "must be package.module:function or path/to/file.py:function"
        raise RewardError(key, path, rule=rule, fix="Name the function after a colon.")
    module = _import_file(target, path, key) if target.endswith(".py") else _import_module(target, path, key)
    if not callable(function := getattr(module, name, None)):
        functions = [known for known, value in vars(module).items() if callable(value) and not known.startswith("_")]
        fix = nearest(name, functions) or f"It defines: {', '.join(functions) or 'nothing callable'}."
        raise RewardError(key, path, rule=f"{target} has no function {name}", fix=fix)
    return function  # type: ignore[no-any-return]


def _import_module(target: str, path: str, key: str) -> ModuleType:
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError as error:
        fix = "Install the package, add its folder to PYTHONPATH, or give the file: path/to/file.py:function."
        raise RewardError(key, path, rule=f"cannot be imported: {error}", fix=fix) from error
    except Exception as error:  # a user's module may raise anything
        raise _failed_import(path, error, key) from error


def _import_file(target: str, path: str, key: str) -> ModuleType:
    file = Path(target).expanduser().resolve()
    if not file.is_file():
        raise RewardError(key, path, rule=f"there is no file {file}", fix="Check the path.")
    name = f"emocal_rl_reward_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    if name in sys.modules:  # once a process, so that its rules register once
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's module may raise anything
        del sys.modules[name]
        raise _failed_import(path, error, key) from error
    return module


def _failed_import(path: str, error: Exception, key: str) -> RewardError:
    rule = f"importing it failed: {type(error).__name__}: {error}"
    return RewardError(key, path, rule=rule, fix="Correct the module.")
