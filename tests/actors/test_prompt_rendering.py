from dataclasses import replace
from pathlib import Path

import pytest

from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.actors.rollout.torchvision_shim import prepare_imports
from emocal_rl.platform.contracts import Sample

SAMPLE = Sample("s", ("a.png",), "Which emotion?", ("awe",), "awe", "FI-8")


@pytest.mark.slow
def test_prompt_of_the_tiny_policy(tiny_policy: Path) -> None:
    prepare_imports()
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny_policy)
    asked = (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Which emotion?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert render_prompt(processor, SAMPLE) == asked
    assert render_prompt(processor.tokenizer, SAMPLE) == asked
    led = render_prompt(processor, replace(SAMPLE, system="Be brief."))
    assert led == "<|im_start|>system\nBe brief.<|im_end|>\n" + asked
    assert render_prompt(processor, replace(SAMPLE, images=("a.png", "b.png"))).count("<|image_pad|>") == 2
