from typing import Any

from emocal_rl.platform.contracts import Sample


def render_prompt(processor: Any, sample: Sample) -> str:
    """Return the prompt of a sample as text, up to where the response begins; each image is one unexpanded placeholder.

    Rollout engine, learner and reference all ask this function: one rendering, or log-probs disagree.

    Args:
        processor: a Hugging Face processor, or the tokenizer alone, with a chat template.
        sample: its images come first, then the question; a system turn only where it has a system prompt.
    """
    content = [{"type": "image"} for _ in sample.images] + [{"type": "text", "text": sample.question}]
    system = [{"role": "system", "content": [{"type": "text", "text": sample.system}]}] if sample.system else []
    messages = [*system, {"role": "user", "content": content}]
    return str(processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
