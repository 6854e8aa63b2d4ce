"""The rooms and the style of design.md, held by tests."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("platform", "cluster", "rewards", "actors", "benchmarks", "stages", "cli")
MAY_IMPORT: dict[str, set[str]] = {
    "platform": set(),
    "cluster": {"platform"},
    "rewards": {"platform"},
    "actors": {"platform", "cluster", "rewards"},
    "benchmarks": {"platform", "cluster", "rewards", "actors"},
    "stages": {"platform", "cluster", "rewards", "actors", "benchmarks"},
    "cli": {"platform", "cluster", "rewards", "actors", "benchmarks", "stages"},
}
FILE_LINES, FUNCTION_LINES, STAGE_LOOP_LINES = 400, 60, 120
OVER_BUDGET: dict[str, str] = {}
"""`path` or `path::function` -> why it may be longer."""


def sources() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported_rooms(tree: ast.AST) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in modules if name.startswith("emocal_rl.") and name.split(".")[1] in ROOMS}


def test_rooms_are_folders_linked_from_the_package() -> None:
    for room in ROOMS:
        link = ROOT / "src" / "emocal_rl" / room
        assert link.is_symlink()
        assert not link.readlink().is_absolute()
        assert link.resolve() == ROOT / room
    assert {path.name for path in (ROOT / "src" / "emocal_rl").iterdir() if path.is_dir()} - {"__pycache__"} == set(
        ROOMS
    )


def test_no_room_shadows_the_standard_library() -> None:
    assert [room for room in ROOMS if (ROOT / room / "__init__.py").exists()] == []
    command = "import platform; assert platform.python_version(), platform; print(platform.__file__)"
    printed = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert Path(printed.stdout.strip()).parent != ROOT / "platform"


def test_imports_go_up_only() -> None:
    wrong = {}
    for path in sources():
        room = path.relative_to(ROOT).parts[0]
        against = imported_rooms(ast.parse(path.read_text())) - MAY_IMPORT[room] - {room}
        if against:
            wrong[str(path.relative_to(ROOT))] = against
    assert wrong == {}


def over_budget(path: Path) -> list[str]:
    name, text = str(path.relative_to(ROOT)), path.read_text()
    found = [name] if text.count("\n") > FILE_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            loop = name.startswith("stages/") and node.name == "run"
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > (STAGE_LOOP_LINES if loop else FUNCTION_LINES):
                found.append(f"{name}::{node.name}")
    return found


def test_files_and_functions_stay_small() -> None:
    found = [place for path in sources() for place in over_budget(path)]
    assert sorted(found) == sorted(OVER_BUDGET)


def test_every_import_is_absolute_through_the_package() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno} is relative"
                assert (node.module or "").split(".")[0] not in set(ROOMS) - {"platform"}, f"{path}:{node.lineno}"


def test_every_room_file_is_annotated_and_unfinished_work_is_absent() -> None:
    for path in sources():
        text = path.read_text()
        for mark in ("TO" + "DO", "FIX" + "ME", "raise NotImplementedError"):
            assert mark not in text, f"{path} has {mark}"


@pytest.mark.parametrize("room", ["platform", "rewards", "cli"])
def test_light_rooms_import_without_the_engines(room: str) -> None:
    modules = [
        "emocal_rl." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources()
        if path.relative_to(ROOT).parts[0] == room
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "heavy = [name for name in ('torch', 'ray', 'vllm', 'deepspeed', 'transformers') if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
