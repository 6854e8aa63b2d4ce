from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from emocal_rl.platform.config.section import Section


class EndpointConfig(Section):
    """A model behind an OpenAI-compatible endpoint: how it is reached, asked and paid."""

    model: str | None = None
    """Name the endpoint serves it under."""
    base_url: str | None = None
    """Address of an OpenAI-compatible endpoint, e.g. http://localhost:8000/v1."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Environment variable that holds the endpoint's key; null for an endpoint without one."""
    temperature: float | None = Field(default=0.7, ge=0, le=2)
    """Softmax temperature; 0 is greedy, null the endpoint's own (some models accept no other)."""
    max_new_tokens: int = Field(default=1024, ge=1, le=131072)
    """A reply is cut after this many tokens."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further members of each request's body, e.g. reasoning_effort, or a server's own such as chat_template_kwargs."""
    concurrency: int = Field(default=16, ge=1, le=1024)
    """Requests to the endpoint at the same time."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Start no more requests than this a minute, repetitions included, evenly spread; unset is no limit of our own."""
    timeout_s: float = Field(default=180.0, gt=0)
    """A request without an answer is given up, and asked again, after this long."""
    max_retries: int = Field(default=6, ge=0, le=100)
    """How often a request is repeated after a rate limit, a server error or a time-out."""
    max_wait_s: float = Field(default=120.0, gt=0)
    """Longest wait before a repetition: waits double from one second, or are what the endpoint says (Retry-After)."""
    input_price: float = Field(default=0.0, ge=0)
    """Price of a million prompt tokens, in any currency."""
    output_price: float = Field(default=0.0, ge=0)
    """Price of a million completion tokens, in the same currency."""

    @model_validator(mode="after")
    def _address_is_plain(self) -> "EndpointConfig":
        if self.base_url is not None:
            parts = urlsplit(self.base_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"base_url {self.base_url!r} must start with http:// or https:// and name a host")
            if parts.username or parts.password:
                raise ValueError("base_url must hold no user or password: put the key into the variable of api_key_env")
        return self


class AskedModelConfig(EndpointConfig):
    """A model that is asked in words: behind an OpenAI-compatible endpoint, or local in our rollout workers."""

    model: str | None = None
    """Name the endpoint serves it under; without `base_url` a local checkpoint directory or a hub id."""
    revision: str | None = None
    """Commit, tag or branch of a hub id; for a local model only."""
    base_url: str | None = None
    """Address of an OpenAI-compatible endpoint, e.g. http://localhost:8000/v1. Unset runs `model` in rollout workers
    (`rollout.*`, `model.max_pixels` and so on apply)."""

    @model_validator(mode="after")
    def _local_model_has_a_temperature(self) -> "AskedModelConfig":
        if self.base_url is None and self.temperature is None:
            raise ValueError("temperature must be a number for a local model (no base_url)")
        return self


class ScoringJudgeConfig(AskedModelConfig):
    """The model that scores free texts of the evaluated one, where a benchmark has such questions."""

    max_new_tokens: int = Field(default=64, ge=1, le=131072)
    """A reply is cut after this many tokens; a judge that reasons first needs more."""
    num_rounds: int = Field(default=5, ge=1, le=100)
    """How often each text is scored (EEmo-Bench: 5); the mean counts."""
    max_cost: float | None = Field(default=None, gt=0)
    """Spend no more than this over all runs on the same output, in the currency of the prices."""
    max_requests: int | None = Field(default=None, ge=1)
    """Have no more than this many requests answered over all runs on the same output."""
    max_failures: int = Field(default=8, ge=1)
    """Stop when this many texts in a row were refused or got no answer: then it is not the texts."""


class EvaluatedEndpointConfig(EndpointConfig):
    """The endpoint whose model `eval run` evaluates, with what may be spent there."""

    logprobs: bool = False
    """Ask for the log-probs of a reply's tokens, which the confidences `ans` and `avg` need; some endpoints refuse."""
    sends_seed: bool = False
    """Send each request a seed of its own (`run.seed`, the repeat and the sample); some endpoints refuse."""
    max_cost: float | None = Field(default=None, gt=0)
    """Spend no more than this over all runs on the same output, in the currency of the prices."""
    max_requests: int | None = Field(default=None, ge=1)
    """Have no more than this many requests answered over all runs on the same output."""
    max_failures: int = Field(default=8, ge=1)
    """Stop when this many samples in a row were refused or got no answer: then it is not the samples."""
