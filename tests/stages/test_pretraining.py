from pathlib import Path

import torch

from emocal_rl.benchmarks.synthvec.policy import create_tiny_policy
from emocal_rl.benchmarks.synthvec.vocabulary import vocabulary_texts
from emocal_rl.benchmarks.synthvec.world import build_world
from emocal_rl.platform.config.data import SynthVECConfig
from emocal_rl.stages.pretraining import pretrain_vision

CONFIG = SynthVECConfig(
    num_pretrain=256,
    num_reasoning=32,
    num_confidence=32,
    num_calibration=16,
    num_validation=9,
    num_test=9,
    num_test_ood=0,
)


def test_the_tower_learns_to_see_and_nothing_else_moves(tmp_path: Path) -> None:
    files = build_world(CONFIG, tmp_path / "world")
    create_tiny_policy(tmp_path / "policy", vocabulary_texts(), seed=0)
    from transformers import AutoModelForImageTextToText, AutoProcessor  # torchvision loads only from here on

    model = AutoModelForImageTextToText.from_pretrained(tmp_path / "policy")
    processor = AutoProcessor.from_pretrained(tmp_path / "policy")
    before = {name: value.clone() for name, value in model.named_parameters()}
    (untrained,) = pretrain_vision(model, processor, files, seed=0, epochs=1, learning_rate=1e-12)
    errors = [epoch["context_valence"] for epoch in pretrain_vision(model, processor, files, seed=0, epochs=3)]
    assert len(errors) == 3
    assert errors[-1] < 0.5 * untrained["context_valence"]
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]) == (".visual." not in name)


def test_who_watches_the_epochs_changes_no_weight(tmp_path: Path) -> None:
    files = build_world(CONFIG.model_copy(update={"num_pretrain": 64}), tmp_path / "world")
    create_tiny_policy(tmp_path / "policy", vocabulary_texts(), seed=0)
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(tmp_path / "policy")
    undisturbed, watched = (AutoModelForImageTextToText.from_pretrained(tmp_path / "policy") for _ in range(2))
    errors = list(pretrain_vision(undisturbed, processor, files, seed=0, epochs=2))
    seen = []
    for epoch in pretrain_vision(watched, processor, files, seed=0, epochs=2):
        torch.rand(7)  # the global generator is whoever's
        seen.append(epoch)
    assert seen == errors
    assert all(map(torch.equal, watched.parameters(), undisturbed.parameters()))
