import json

from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.config.load import resolve_config


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["config", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_show_names_the_layer_of_every_value() -> None:
    shown = run("show", "--config", "synthvec", "--set", "run.seed=3")
    assert "  seed: 3  # --set\n" in shown
    assert "# synthvec.yaml:" in shown


def test_show_json_is_the_resolved_config() -> None:
    shown = json.loads(run("show", "--json", "--set", "run.seed=3"))
    assert shown["config"] == resolve_config("synthvec", None, ["run.seed=3"]).model_dump(mode="json")
    assert shown["origins"]["run.seed"] == "--set"


def test_explain_a_key() -> None:
    assert run("explain", "loss.clip_ratio", "--set", "loss.clip_ratio=0.3") == (
        "loss.clip_ratio = 0.3  (--set)\n"
        "  Importance ratios are clipped to [1 - clip_ratio, 1 + clip_ratio].\n"
        "  accepts a number, above 0 and below 1; default 0.2\n"
    )


def test_explain_a_section() -> None:
    shown = run("explain", "advantage")
    assert shown.startswith('advantage: Advantage estimator.\n\nadvantage.estimator = "grpo"')
    keys = [one["key"] for one in json.loads(run("explain", "advantage", "--json"))]
    assert keys == ["advantage.estimator", "advantage.normalize", "advantage.epsilon"]


def test_schema_is_json() -> None:
    assert json.loads(run("schema"))["title"] == "Config"
