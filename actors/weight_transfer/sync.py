from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.weight_transfer.backend import Backend


class WeightSync:
    """How the learner's weights reach the rollout workers; `push` is all a stage calls.

    Through the object store one snapshot serves every worker. The direct backends send from GPU to GPU; there a
    snapshot is taken only when a worker has died and its successor must catch up, and the next push connects anew.

    Direct backends have never run: there are contract tests for the flow of messages.

    Args:
        learner: a started group.
        rollouts: workers whose engines were created for `backend`.
        backend: from `resolve_backend`.
        tensor_parallel_size: GPUs per rollout worker.
    """

    def __init__(self, learner: LearnerGroup, rollouts: RolloutPool, backend: Backend, tensor_parallel_size: int = 1):
        self._learner, self._rollouts, self._backend = learner, rollouts, backend
        self._tensor_parallel_size = tensor_parallel_size
        self._deaths_when_connected: int | None = None

    def push(self) -> None:
        """Give the learner's weights their next version, and return when every rollout worker has confirmed it.

        Raises:
            EngineError: the weights did not arrive everywhere; no worker they did not reach serves any version.
            WorkerError: rollout workers died more often than they may.
        """
        if self._backend == "object_store":
            self._rollouts.sync(*self._learner.publish())
            return
        self._rollouts.replace_dead()
        if self._deaths_when_connected != self._rollouts.num_deaths:
            self._learner.connect(self._backend, self._rollouts.workers, self._tensor_parallel_size)
            self._deaths_when_connected = self._rollouts.num_deaths
        self._rollouts.confirm(self._learner.send(), self._learner.snapshot)
