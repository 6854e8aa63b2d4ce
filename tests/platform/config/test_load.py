from pathlib import Path

import pytest

from emocal_rl.platform.config.load import dump_config, resolve_config, resolve_layers
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import ConfigErrors


def messages(
    recipe: str | None = None, overrides: dict[str, object] | None = None, sets: tuple[str, ...] = ()
) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        resolve_config(recipe, overrides, sets)
    return str(caught.value).splitlines()


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "test.yaml"
    path.write_text(text)
    return str(path)


MINIMAL = """\
run: {name: minimal}
rollout:
  num_workers: 2
  sampling:
    max_new_tokens: 96
reward:
  confidence:
    params: {clip: 1e-2}
learner:
  optimizer: {learning_rate: 1e-4, betas: [0.9, 0.95]}
tracking:
"""


def test_no_layers_give_the_embedded_default() -> None:
    assert resolve_config() == Config()


def test_layers_win_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    config = resolve_config(
        path, {"rollout.num_workers": 3, "run.seed": 7, "run.root": None}, ["rollout.num_workers=4", "run.name=last"]
    )
    assert config.rollout.num_workers == 4
    assert config.rollout.sampling.max_new_tokens == 96
    assert config.run.name == "last"
    assert config.run.seed == 7
    assert config.run.root == "runs"
    assert config.learner.optimizer.learning_rate == 1e-4
    assert config.learner.optimizer.betas == (0.9, 0.95)


def test_a_section_given_in_part_keeps_its_parents_defaults() -> None:
    config = resolve_config(sets=["evaluation.sampling.temperature=0.7", "confidence.optimizer.weight_decay=0.1"])
    assert config.evaluation.sampling.max_new_tokens == Config().evaluation.sampling.max_new_tokens == 1024
    assert config.confidence.optimizer.learning_rate == 4e-6


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("reward.confidence.params.clip=0.01", {"clip": 0.01}),
        ("reward.confidence.params.clip=1e-3", {"clip": 1e-3}),
        ("reward.confidence.params={clip: 0.1, soft: true}", {"clip": 0.1, "soft": True}),
        ("reward.confidence.params.mode=on", {"mode": "on"}),
    ],
)
def test_parameters_of_a_rule(assignment: str, value: dict[str, object]) -> None:
    assert resolve_config(sets=[assignment]).reward.confidence.params == value


def test_parameters_merge_over_layers(tmp_path: Path) -> None:
    config = resolve_config(write(tmp_path, MINIMAL), {}, ["reward.confidence.params.soft=true"])
    assert config.reward.confidence.params == {"clip": 1e-2, "soft": True}


def test_set_takes_lists_null_and_text_that_looks_like_numbers() -> None:
    sets = ["tracking.trackers=[wandb, mlflow]", "synthvec.seed=3", "evaluation.max_samples=5", "run.name=2024"]
    config = resolve_config(overrides={"model.revision": "abc"}, sets=[*sets, "evaluation.max_samples=null"])
    assert config.tracking.trackers == ("wandb", "mlflow")
    assert config.evaluation.max_samples is None
    assert config.run.name == "2024"
    assert resolve_config(sets=["model.revision=1e10"]).model.revision == "1e10"


def test_all_errors_at_once_each_with_place_key_value_and_rule(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "rollout:\n  num_workers: 0\n  sampling: {temprature: 0.7}\nlearner: 3\n"
        "reward:\n  confidence: {invalid: foo}\n",
    )
    found = messages(path, {"learner.num_workers": "many"}, ("calibration.group_size=1", "temperature=3", "foo"))
    assert found == [
        f"{path}:3: rollout.sampling.temprature: unknown key. Did you mean 'rollout.sampling.temperature'?",
        f"{path}:4: learner = 3: names a section: set one of its keys (num_workers, zero_stage, offload_optimizer, "
        "micro_batch_tokens, activation_checkpointing, num_threads, timeout_s, lora, optimizer).",
        "--set temperature: unknown key. Did you mean 'rollout.sampling.temperature' or "
        "'confidence.sampling.temperature' or 'evaluation.sampling.temperature'?",
        "--set = 'foo': must be section.key=value.",
        f"{path}:2: rollout.num_workers = 0: must be a whole number, at least 1 and at most 4096.",
        "learner.num_workers = 'many': must be a whole number, at least 1 and at most 4096.",
        f"{path}:6: reward.confidence.invalid = 'foo': must be one of worst, zero, mask or a number.",
        "--set calibration.group_size = 1: must be a whole number, at least 2 and at most 1024.",
    ]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("=3", "--set = '=3': must be section.key=value."),
        ("run.name=[", "--set run.name = '[': not a YAML value. Quote it."),
        ("calibration=3", "--set calibration = 3: names a section: set one of its keys"),
        ("reward.format.params=3", "--set reward.format.params = 3: must be a mapping."),
        ("reward.format.params.a=[1]", "--set reward.format.params.a = [1]: must be true, false, a number or text."),
        ("learner.optimizer.betas=[1]", "--set learner.optimizer.betas = [1]: must be a list of 2 values, each"),
        ("learner.zero_stage=4", "--set learner.zero_stage = 4: must be one of 0, 1, 2, 3."),
        ("learner.optimizer.schedule=cos", "--set learner.optimizer.schedule = 'cos': must be one of constant, cosine"),
        ("loss.clip_ratio=1", "--set loss.clip_ratio = 1: must be a number, above 0 and below 1."),
        ("loss.clip_ratio=nan", "--set loss.clip_ratio = 'nan': must be a number, above 0 and below 1."),
        ("evaluation.greedy=2", "--set evaluation.greedy = 2: must be true or false."),
        ("run.name=null", "--set run.name: must be text."),
        ("rollouts.num_workers=1", "--set rollouts.num_workers: unknown key. Did you mean 'rollout.num_workers'?"),
        ("zzz=1", "--set zzz: unknown key. Sections are run, model, data,"),
    ],
)  # fmt: skip
def test_a_bad_assignment_names_the_rule(assignment: str, message: str) -> None:
    assert messages(sets=(assignment,))[0].startswith(message)


def test_a_preset_reaches_the_config_through_every_layer(tmp_path: Path) -> None:
    official = resolve_config(None, {"reward.preset": "official"}).reward
    assert (official.protocol, official.malformed_total, official.confidence.weight) == ("official", -5.0, 2.0)
    path = write(tmp_path, "reward: {preset: rlcr, format: {weight: 2.0}, num_processes: 3}\n")
    written = resolve_config(path, {"reward.confidence.rule": "spherical"}, ["reward.correctness.weight=0.25"]).reward
    assert (written.format.weight, written.correctness.weight, written.correctness.gate) == (2.0, 0.25, "format")
    assert (written.confidence.rule, written.confidence.weight, written.confidence.offset) == ("spherical", 0.5, 0.0)
    assert (written.num_processes, written.well_formed) == (3, "grammar-and-confidence")


def test_estimators_that_are_a_way_to_normalise_say_so() -> None:
    (message,) = messages(sets=("advantage.estimator=batch",))
    assert message.startswith("advantage: estimator=batch is another way to normalise: give --normalize")
    assert resolve_config(None, {"advantage.normalize": True}, ["advantage.estimator=batch"]).advantage.normalize


def test_rules_about_several_keys_keep_their_own_message() -> None:
    assert messages(sets=("model.path=m",))[0].startswith("config: model.path and data.train go together: give both")
    assert messages(overrides={"model.trust_remote_code": True}) == [
        "model: trust_remote_code=true needs a pinned model.revision: add --revision COMMIT."
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "{path}: the top level must be a mapping of sections, not a list."),
        ("just text", "{path}: the top level must be a mapping of sections, not a scalar."),
        ("run:\n  name: a\n  name: b\n", "{path}:3: run.name: already set on line 2."),
        ("run: {name: a}\nrun: {seed: 1}\n", "{path}:2: run: already set on line 1."),
        ("run: [\n", "{path}:2: not valid YAML:"),
        ("run: &x {name: a}\nmodel: *x\n", "{path}:2: not valid YAML: aliases are not supported."),
        ("run: {name: !!python/name:os.system x}\n", "{path}:1: not valid YAML: could not determine a constructor"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    assert messages(path)[0].startswith(message.format(path=path))


def test_an_unreadable_recipe(tmp_path: Path) -> None:
    assert messages("no/such.yaml")[0].startswith("--config = 'no/such.yaml': there is no such recipe or file.")
    assert messages(str(tmp_path))[0].startswith(f"--config = '{tmp_path}': cannot be read: ")
    assert messages("nope://x")[0].startswith("--config = 'nope://x': cannot be read: Protocol not known")
    (tmp_path / "latin.yaml").write_bytes(b"run: {name: \xe9}")
    assert "utf-8" in messages(str(tmp_path / "latin.yaml"))[0]


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert resolve_config(write(tmp_path, "# nothing\n")) == Config()


def test_dump_reads_back_to_the_same_config(tmp_path: Path) -> None:
    overrides = {"run.name": "1e-3", "model.path": "on", "data.train": "null", "model.revision": "2024-01-01"}
    config = resolve_config(None, overrides, ["reward.confidence.params={a: '0.5', b: 0.5, c: true}", "run.seed=3"])
    assert resolve_config(write(tmp_path, dump_config(config))) == config


def test_origins_name_the_layer(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    origins = resolve_layers(path, {"run.seed": 1}, ["run.name=x"]).origins
    assert origins["run.seed"] == "flag"
    assert origins["run.name"] == "--set"
    assert origins["rollout.sampling.max_new_tokens"] == f"{path}:5"
    assert origins["reward.confidence.params.clip"] == f"{path}:8"
    assert "run.root" not in origins


def test_a_client_of_a_cluster_is_refused_when_the_config_is_resolved() -> None:
    with pytest.raises(ConfigErrors, match=r"'ray://head:10001': must be local, auto or host:port") as caught:
        resolve_config(None, {"cluster.address": "ray://head:10001"})
    assert "with --address auto" in str(caught.value)
    assert resolve_config(None, {"cluster.address": "head:6379"}).cluster.address == "head:6379"
