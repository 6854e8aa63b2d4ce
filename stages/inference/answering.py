"""The model that a config names, ready to be asked: in rollout workers or behind an endpoint."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.images import ImageLimits, decode_image, load_sample_images
from emocal_rl.platform.errors import ConfigError, DataError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.chat.endpoint import check_reachable, read_api_key
from emocal_rl.stages.chat.exchange import Failure
from emocal_rl.stages.inference.answer import Answer, Answerer
from emocal_rl.stages.inference.endpoint_answerer import EndpointAnswerer
from emocal_rl.stages.inference.rollout_answerer import RolloutAnswerer
from emocal_rl.stages.model_settings import model_settings
from emocal_rl.stages.sampling_engines import sampling_engines


def check_model(config: Config) -> dict[str, object]:
    """Check the model as far as can be without starting anything, and return what its answers depend on.

    Raises:
        UserError: no model is named, its files are not there, or the key of its endpoint is not set.
    """
    endpoint = config.evaluation.endpoint
    if endpoint.base_url is None:
        if config.model.path is None:
            raise ConfigError("--model", rule="must be given", fix="Give a checkpoint, a hub id, or --endpoint URL.")
        sampling = config.evaluation.sampling.model_dump()
        return {**model_settings(config), **{f"evaluation.sampling.{name}": value for name, value in sampling.items()}}
    if endpoint.model is None:
        rule = "must be the name that the endpoint serves the model under"
        raise ConfigError("--model", rule=rule, fix="Add --model NAME.")
    read_api_key("evaluated", endpoint)
    names = ("model", "temperature", "max_new_tokens", "extra_body", "logprobs", "sends_seed")
    return {f"evaluation.endpoint.{name}": getattr(endpoint, name) for name in names}


@contextmanager
def answering(config: Config, earlier: Iterable[Answer], progress: Progress) -> Iterator[Answerer]:
    """The model, started or reached.

    Args:
        config: checked by `check_model`.
        earlier: answers that count against an endpoint's budget.
        progress: told what is being started.

    Raises:
        UserError: the endpoint does not answer, or the cluster cannot hold the workers.
    """
    if config.evaluation.endpoint.base_url is not None:
        progress.phase("endpoint")
        check_reachable("evaluated", config.evaluation.endpoint)
        yield EndpointAnswerer(config, earlier)
        return
    with sampling_engines(config, progress) as rollouts:
        yield RolloutAnswerer(rollouts, config)


def find_unreadable(samples: Sequence[Sample], config: Config) -> dict[str, Failure]:
    """Read and decode every image once; return those samples, by id, whose image is damaged.

    A damaged image costs its sample and not the run; one that is not there is a mistake in the paths.

    Raises:
        DataError: an image is missing, too large or no image; naming the first such row.
    """
    limits = ImageLimits.from_config(config.data)

    def decode(sample: Sample) -> DataError | None:
        encoded = load_sample_images(sample, limits)
        try:
            for data in encoded:
                decode_image(data, limits)
        except DataError as error:
            return error
        return None

    distinct = list({sample.id: sample for sample in samples}.values())
    with ThreadPoolExecutor(8, thread_name_prefix="images") as readers:
        errors = list(readers.map(decode, distinct))
    return {sample.id: Failure(str(error)) for sample, error in zip(distinct, errors, strict=True) if error}
