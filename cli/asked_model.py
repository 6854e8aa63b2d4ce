"""What `eval run` and `predict` have in common: which model is asked, and how it samples."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emocal_rl.platform.config.tree import Config

ModelOption = Annotated[
    str | None, typer.Option(metavar="DIR|HUB_ID|NAME", help="Checkpoint, hub id, or the name at --endpoint.")
]
EndpointOption = Annotated[str | None, typer.Option(metavar="URL", help="Ask this OpenAI-compatible endpoint instead.")]
KeyOption = Annotated[
    str | None, typer.Option("--api-key-env", metavar="VAR", help="Environment variable that holds its key.")
]
LogprobsOption = Annotated[
    bool, typer.Option("--logprobs", help="Have the endpoint send the tokens' log-probs, for `ans` and `avg`.")
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-new-tokens", help="Cut a response after so many; without it the config's.")
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the sampling; without it the config's, 0.")]


def resolve_asked_model(
    recipe: str | None,
    flags: Mapping[str, object],
    sets: Sequence[str] | None,
    *,
    model: str | None,
    endpoint: str | None,
    temperature: float | None,
    max_new_tokens: int | None,
) -> "Config":
    """Resolve the config of a command that asks a model: in rollout workers, or at an endpoint where there is one.

    Raises:
        ConfigErrors: everything that is wrong.
    """
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.stages.pipeline_workers import with_sampling_workers

    shared = {"temperature": temperature, "max_new_tokens": max_new_tokens}
    overrides = {
        **{
            f"evaluation.{target}.{name}": value
            for target in ("sampling", "endpoint")
            for name, value in shared.items()
        },
        "evaluation.endpoint.base_url": endpoint,
        **flags,
    }
    config = with_sampling_workers(resolve_config(recipe, overrides, sets or ()))
    if model is None:
        return config
    evaluation = config.evaluation
    if evaluation.endpoint.base_url is not None:
        served = evaluation.endpoint.model_copy(update={"model": model})
        return config.model_copy(update={"evaluation": evaluation.model_copy(update={"endpoint": served})})
    # In a config a model goes with training data; here it stands alone.
    return config.model_copy(update={"model": config.model.model_copy(update={"path": model})})


def describe_asked_model(config: "Config") -> str:
    """Say in a line which model is asked and how it samples."""
    endpoint = config.evaluation.endpoint
    if endpoint.base_url is None:
        sampling = config.evaluation.sampling
        return (
            f"{config.model.path}, {config.rollout.num_workers} rollout worker(s), temperature "
            f"{sampling.temperature:g}, at most {sampling.max_new_tokens} tokens, seed {config.run.seed}"
        )
    temperature = "its own" if endpoint.temperature is None else f"{endpoint.temperature:g}"
    caps = f"cost {endpoint.max_cost or 'any'}, requests {endpoint.max_requests or 'any'}"
    return (
        f"{endpoint.model} at {endpoint.base_url}, {endpoint.concurrency} requests at a time, temperature "
        f"{temperature}, at most {endpoint.max_new_tokens} tokens; caps: {caps}"
    )
