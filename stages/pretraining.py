"""What stands for the pre-training of the tiny policy: eyes that see the attributes, a tongue that knows the format.

Without it stage 1 would have to teach a random model to see. The language half is an SFT on `files.pretrain`, whose
text has nothing to do with its images; this module holds the vision half.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.pretraining_targets import ATTRIBUTES, attribute_targets

_NUM_HELD_OUT = 64


def pretrain_vision(
    model: Any,
    processor: Any,
    files: SynthVECFiles,
    *,
    seed: int,
    epochs: int = 4,
    learning_rate: float = 2e-3,
    batch_size: int = 32,
) -> Iterator[dict[str, float]]:
    """Train the vision tower in place: a linear head on the mean visual token regresses each image's attributes.

    Args:
        model: a `Qwen2_5_VLForConditionalGeneration` in float32; only its `visual` part changes.
        processor: its processor.
        files: a built world; the pre-training images are used.
        seed: of the image order and the head.
        epochs: passes over the images.
        learning_rate: peak of AdamW's cosine schedule.
        batch_size: images per optimizer step.

    Yields:
        After every epoch the mean absolute error of each attribute on held-out pre-training images.
    """
    visual = model.model.visual
    ids, targets = attribute_targets(files)
    pixels = np.stack([np.asarray(Image.open(files.image(image_id)).convert("RGB")) for image_id in ids])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = torch.nn.Linear(visual.config.out_hidden_size, len(ATTRIBUTES))

    def predict(indices: np.ndarray[Any, np.dtype[np.int64]]) -> torch.Tensor:
        inputs = processor.image_processor(list(pixels[indices]), return_tensors="pt")
        tokens = visual(inputs["pixel_values"], grid_thw=inputs["image_grid_thw"]).pooler_output
        prediction: torch.Tensor = head(tokens.view(len(indices), -1, tokens.shape[-1]).mean(dim=1))
        return prediction

    order = np.random.default_rng(seed)
    shuffled = order.permutation(len(ids))
    num_held_out = min(_NUM_HELD_OUT, len(ids) // 8)
    held_out, trained = shuffled[:num_held_out], shuffled[num_held_out:]
    steps_per_epoch = math.ceil(len(trained) / batch_size)
    optimizer = torch.optim.AdamW([*visual.parameters(), *head.parameters()], lr=learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps_per_epoch)
    for _ in range(epochs):
        for indices in np.array_split(order.permutation(trained), steps_per_epoch):
            loss = torch.nn.functional.mse_loss(predict(indices), torch.from_numpy(targets[indices]))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_([*visual.parameters(), *head.parameters()], 1.0)
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            errors = (predict(held_out) - torch.from_numpy(targets[held_out])).abs().mean(dim=0)
        yield dict(zip(ATTRIBUTES, errors.tolist(), strict=True))
