from typing import Annotated, Literal

from pydantic import Field, field_validator

from emocal_rl.platform.config.section import Section


class RoleResources(Section):
    """What one worker of a role reserves.

    `auto` GPU is 1 where there are enough for all workers and 0 where there is none; else different roles share them.
    """

    num_cpus: float = Field(default=1.0, ge=0, le=1024)
    """CPU cores."""
    num_gpus: Annotated[float, Field(ge=0)] | Literal["auto"] = "auto"
    """GPUs; a fraction shares one, and with 0 a worker sees none."""


class ClusterConfig(Section):
    """Where the run takes place."""

    address: str = "local"
    """`local` starts a Ray cluster of this run's own; otherwise `auto` (the cluster of this machine) or `host:port`."""
    num_cpus: int | None = Field(default=None, ge=1)
    """CPU cores of an own cluster; unset is all of the machine's."""
    object_store_gib: float | None = Field(default=None, ge=0.1)
    """Object store of an own cluster, in GiB; unset is 1, and two snapshots of the weights besides where they are sent
    from role to role."""
    rollout: RoleResources = RoleResources()
    """One rollout worker."""
    learner: RoleResources = RoleResources()
    """One learner rank."""
    reference: RoleResources = RoleResources()
    """The reference worker."""
    reward: RoleResources = RoleResources(num_cpus=0.5, num_gpus=0)
    """One reward worker."""
    placement_strategy: Literal["PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"] = "PACK"
    """How Ray spreads the roles over nodes."""
    placement_timeout_s: float = Field(default=60.0, gt=0)
    """How long to wait for the resources before failing with what was wanted and what is there."""

    @field_validator("address")
    @classmethod
    def _inside_the_cluster(cls, address: str) -> str:
        if address.startswith("ray://"):
            raise ValueError(
                "must be local, auto or host:port: Ray Client (ray://) can neither stream rollouts nor hold Ray Tune. "
                "Start the command on the cluster's head with --address auto"
            )
        return address


class WeightTransferConfig(Section):
    """How new weights reach the rollout engines."""

    backend: Literal["auto", "object_store", "nccl", "ipc"] = "auto"
    """auto is object_store on CPU, nccl where every worker has whole GPUs, ipc where all roles share one GPU, and
    object_store again where they share several: a rollout worker need not have a learner rank beside it then."""
    parity_every: int = Field(default=20, ge=0)
    """Compare learner and engine log-probs after every N-th sync (and always the first); 0 only the first."""
    parity_tolerance: float = Field(default=1e-4, gt=0)
    """Largest allowed difference of a token's log-prob in float32. In bfloat16 the mean may be 1,200 times it and the
    99 % quantile 4,000 times (0.12 and 0.4); a single token says nothing there."""
