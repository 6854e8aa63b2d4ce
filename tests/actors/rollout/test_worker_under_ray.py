from collections.abc import Iterator
from typing import Any

import pytest
import torch

from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutGroup, RolloutRequest, Sample, SamplingParameters
from emocal_rl.platform.errors import EngineError

pytestmark = [pytest.mark.ray, pytest.mark.slow]


class EchoEngine(ScriptedEngine):
    """Answers with the image it was given; refuses weights that were copied on the way."""

    def __init__(self) -> None:
        super().__init__(lambda request, _: str(request.images[0]))

    def load_weights(self, snapshot: WeightSnapshot) -> None:
        if any(array.flags.writeable for array in snapshot.arrays.values()):
            raise EngineError("the weights were copied out of the object store")


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    import ray

    with ray_session(ClusterConfig(num_cpus=1, object_store_gib=0.2)):
        yield ray


@pytest.fixture
def worker(ray: Any) -> Any:
    return ray.remote(RolloutWorker).options(num_cpus=0).remote("unused", Config(), EchoEngine())


def request(images: Any, sample_id: str, tokens: int) -> RolloutRequest:
    sample = Sample(sample_id, ("a.png",), "Which?", ("awe",), "awe", "FI-8")
    return RolloutRequest(sample, images, SamplingParameters(2, 1.0, tokens))


def test_numbers_and_groups_stream_as_objects_with_image_refs_kept(ray: Any, worker: Any) -> None:
    image = ray.put(b"png")
    asked = [(5, request((image,), "long", 90)), (6, request((b"raw",), "short", 3))]
    number, group, *rest = [ray.get(ref) for ref in worker.stream.options(num_returns="streaming").remote(asked, 0)]
    assert (number, group.sample.id, group.responses[0].text) == (6, "short", "b'r")
    number, group = rest
    assert isinstance(group, RolloutGroup)
    assert (number, group.images, group.responses[0].text) == (5, (image,), "b'png'")


def test_weights_reach_the_worker_as_one_object_without_a_copy(ray: Any, worker: Any) -> None:
    snapshot = ray.put(WeightSnapshot.of({"w": torch.zeros(500_000), "b": torch.ones(2, dtype=torch.bfloat16)}))
    assert ray.get(worker.update_weights.remote(snapshot, 3)) == 3
    refs = worker.stream.options(num_returns="streaming").remote([(0, request((b"x",), "s", 3))], 2)
    with pytest.raises(EngineError, match="asked to sample with weights 2, but has 3"):
        ray.get(next(refs))
