from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SynthVECFiles:
    """Where a built world lies. The splits are JSONL in the real formats, images beside them under `images/SPLIT/`.

    `pretrain` (mismatched language) and `reasoning` are VEC-CoT, the other splits VECBench rows.
    """

    directory: Path

    @property
    def pretrain(self) -> Path:
        """Demonstrations whose text, answer and confidence have nothing to do with their image."""
        return self.directory / "pretrain.jsonl"

    @property
    def reasoning(self) -> Path:
        """Stage-1 demonstrations, without confidence."""
        return self.directory / "reasoning.jsonl"

    @property
    def confidence(self) -> Path:
        """Stage-2 images: the scaffold model answers them, equation 2 labels its answers."""
        return self.directory / "confidence.jsonl"

    @property
    def calibration(self) -> Path:
        """Stage-3 prompts."""
        return self.directory / "calibration.jsonl"

    @property
    def validation(self) -> Path:
        """In-domain samples for the periodic validation of stage 3."""
        return self.directory / "validation.jsonl"

    @property
    def test(self) -> Path:
        """In-domain test."""
        return self.directory / "test.jsonl"

    @property
    def test_ood(self) -> Path:
        """Out-of-domain test; an empty file when none was asked for."""
        return self.directory / "test_ood.jsonl"

    @property
    def oracle(self) -> Path:
        """Parquet: per image its latents, its label distribution, the Bayes answer and the exact confidence."""
        return self.directory / "oracle.parquet"

    @property
    def marker(self) -> Path:
        """JSON written last, with the key of the world that was built."""
        return self.directory / "synthvec.json"

    def image(self, sample_id: str) -> Path:
        """The image of a sample such as `test-000012`."""
        split, _, index = sample_id.rpartition("-")
        return self.directory / "images" / split / f"{index}.png"
