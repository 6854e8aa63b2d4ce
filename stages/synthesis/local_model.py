"""A teacher or judge in our own rollout workers."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import ray

from emocal_rl.actors.model_source import fetch_model
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.starting import start_rollouts
from emocal_rl.cluster.placement import plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.endpoint import AskedModelConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutGroup, RolloutRequest, SamplingParameters
from emocal_rl.stages.batches_ahead import stream_ahead
from emocal_rl.stages.chat.exchange import Ask, Receive, Reply, prompt_hash
from emocal_rl.stages.image_feed import ImageFeed

_log = logging.getLogger(__name__)


class LocalModels:
    """The one local model that is loaded at present. Asking another takes its place; both may name the same one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._pool: RolloutPool | None = None
        self._loaded: tuple[str | None, str | None] | None = None

    def pool(self, model: AskedModelConfig) -> RolloutPool:
        """Return rollout workers that hold `model`, starting Ray and them where needed."""
        wanted = (model.model, model.revision)
        if self._pool is None or self._loaded != wanted:
            self.close()
            _log.info("loading %s", model.model)
            self._pool, self._loaded = self._stack.enter_context(_rollouts(self._config, model)), wanted
        return self._pool

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()
        self._pool = self._loaded = None

    def __enter__(self) -> "LocalModels":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LocalModel:
    """A `Responder`: one role's model, asked through the rollout workers."""

    def __init__(self, models: LocalModels, model: AskedModelConfig, config: Config) -> None:
        self._models, self._model, self._config = models, model, config

    def answer(self, asks: Sequence[Ask], receive: Receive) -> None:
        """Answer everything; see `Responder`. A repeated question is sampled with another seed."""
        pool = self._models.pool(self._model)
        while asks:
            again = []
            for index, ref in stream_ahead(pool, asks, self._requests):
                if (ask := receive(asks[index], _reply(asks[index], ray.get(ref)))) is not None:
                    again.append(ask)
            asks = again

    def _requests(self, asks: Sequence[Ask]) -> list[RolloutRequest]:
        feed, model = ImageFeed(self._config.data), self._model
        assert model.temperature is not None, "a local model has a temperature (AskedModelConfig)"
        return [
            RolloutRequest(
                replace(ask.sample, question=ask.prompt, system=""),
                feed.references(ask.sample),
                SamplingParameters(
                    1, model.temperature, model.max_new_tokens, seed=self._config.run.seed + ask.attempt
                ),
            )
            for ask in asks
        ]


def _reply(ask: Ask, group: RolloutGroup) -> Reply:
    (response,) = group.responses
    lengths = len(group.prompt_token_ids), len(response.token_ids)
    hashed = prompt_hash(ask.prompt)
    return Reply(ask.sample.id, ask.role, hashed, response.text, response.finish_reason, *lengths)


@contextmanager
def _rollouts(config: Config, model: AskedModelConfig) -> Iterator[RolloutPool]:
    policy = config.model.model_copy(update={"path": model.model, "revision": model.revision})
    directory = fetch_model(policy)
    cluster = config.cluster
    with ray_session(cluster) as session:
        plan = plan_placement(config, session.num_gpus, only={"rollout"})
        with (
            reserve(plan, strategy=cluster.placement_strategy, timeout_s=cluster.placement_timeout_s) as placement,
            start_rollouts(config.model_copy(update={"model": policy}), placement, directory) as pool,
        ):
            yield pool
