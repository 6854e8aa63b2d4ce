import json
from pathlib import Path

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import ConfigError, DataError
from emocal_rl.stages.inputs import check_images, load_inputs, measure_inputs


def write(path: Path, count: int, prefix: str, image: str = "face.png") -> str:
    labels = ("amusement", "anger", "awe", "fear")
    samples = [
        Sample(f"{prefix}{i}", (str(path.parent / image),), "?", labels, labels[i % 4], "FI-8") for i in range(count)
    ]
    write_vecbench(str(path), samples)
    return str(path)


def config_of(tmp_path: Path, train: str, **overrides: object) -> Config:
    flags = {"model.path": str(tmp_path), "data.train": train, "calibration.prompts_per_step": 4, **overrides}
    return resolve_config(None, flags)


def test_without_eval_data_a_seeded_share_is_held_out(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", 40, "a")
    inputs = load_inputs(config_of(tmp_path, train))
    assert (len(inputs.prompts), len(inputs.validation)) == (38, 2)
    ids = [sample.id for sample in (*inputs.prompts, *inputs.validation)]
    assert sorted(ids) == sorted(f"a{i}" for i in range(40))
    assert load_inputs(config_of(tmp_path, train)) == inputs
    assert load_inputs(config_of(tmp_path, train, **{"run.seed": 5})).validation != inputs.validation


def test_eval_data_leaves_the_training_data_whole(tmp_path: Path) -> None:
    train, test = write(tmp_path / "train.jsonl", 8, "a"), write(tmp_path / "test.jsonl", 5, "b")
    inputs = load_inputs(config_of(tmp_path, train, **{"data.eval": test, "evaluation.max_samples": 3}))
    assert len(inputs.prompts) == 8
    assert len(inputs.test) == 3
    assert set(inputs.hashes) == {"data.train", "data.eval"}
    assert inputs.oracle is None


def test_too_few_prompts_for_a_step(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", 4, "a")
    with pytest.raises(ConfigError, match="must not exceed the number of training prompts, 3"):
        load_inputs(config_of(tmp_path, train))


@pytest.mark.parametrize("name", ["train", "eval"])
def test_a_row_that_no_answer_can_be_judged_by_is_refused_at_once(tmp_path: Path, name: str) -> None:
    files = {name: write(tmp_path / f"{name}.jsonl", 8, name) for name in ("train", "eval")}
    bare = {"messages": [{"role": "user", "content": "<image>Which?"}], "images": ["x.png"], "ground_truth": "awe"}
    with Path(files[name]).open("a") as file:
        file.write(json.dumps(bare) + "\n")
    config = config_of(tmp_path, files["train"], **{"data.eval": files["eval"]})
    with pytest.raises(DataError, match=rf"{name}\.jsonl:9 candidates: lists no candidates and is of no known task"):
        load_inputs(config)


def test_a_row_of_more_images_than_the_engines_take_is_refused_with_the_number_that_would_do(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", 8, "a")
    image = str(tmp_path / "face.png")
    pairs = [Sample(f"p{n}", (image,) * n, "?", ("awe", "fear"), "awe", "FI-8") for n in (2, 3)]
    write_vecbench(str(tmp_path / "test.jsonl"), pairs)
    config = config_of(tmp_path, train, **{"data.eval": str(tmp_path / "test.jsonl")})
    with pytest.raises(DataError, match=r"test\.jsonl:1 images: the row has 2 images, .*rollout\.max_images=3"):
        load_inputs(config)
    roomy = config_of(tmp_path, train, **{"data.eval": config.data.eval, "rollout.max_images": 3})
    assert len(load_inputs(roomy).test) == 2


def test_a_missing_image_is_named_by_its_row(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", 6, "a", image="nowhere.png")
    config = config_of(tmp_path, train)
    with pytest.raises(DataError, match=r"train\.jsonl:\d+"):
        check_images(load_inputs(config).prompts, config)


def test_an_unbuilt_world_is_measured_by_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sizes = measure_inputs(resolve_config("synthvec"))
    assert (sizes.num_prompts, sizes.num_validation, sizes.num_test) == (2000, 300, 2100)
    assert sizes.example.candidates
    assert measure_inputs(resolve_config("synthvec", sets=["evaluation.max_samples=50"])).num_test == 50
