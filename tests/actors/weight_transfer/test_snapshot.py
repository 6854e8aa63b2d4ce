import pickle

import numpy as np
import torch

from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot


def test_tensors_come_back_with_name_type_and_value() -> None:
    state = {
        "a": torch.tensor([[1.0, -2.5], [3.25, 0.0]]),
        "b": torch.tensor([1.5, -3.0], dtype=torch.bfloat16),
        "c": torch.tensor([7], dtype=torch.int64),
    }
    snapshot = WeightSnapshot.of(state)
    assert snapshot.bfloat16_names == {"b"}
    assert snapshot.arrays["b"].tolist() == [0x3FC0, 0xC040]
    assert snapshot.num_bytes == 16 + 4 + 8
    for name, tensor in pickle.loads(pickle.dumps(snapshot)).tensors():
        assert tensor.dtype == state[name].dtype
        assert torch.equal(tensor, state[name])


def test_parameters_that_are_views_or_need_gradients_are_taken_as_they_are() -> None:
    parameter = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    snapshot = WeightSnapshot.of({"w": parameter, "t": parameter.t()})
    assert snapshot.arrays["t"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_arrays_travel_outside_the_pickle() -> None:
    snapshot = WeightSnapshot.of({"w": torch.zeros(1000)})
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(snapshot, protocol=5, buffer_callback=buffers.append)
    assert len(body) < 1000
    assert sum(buffer.raw().nbytes for buffer in buffers) == 4000
    read_only = [bytes(buffer.raw()) for buffer in buffers]
    ((_, tensor),) = pickle.loads(body, buffers=read_only).tensors()
    assert np.array_equal(tensor.numpy(), np.zeros(1000, np.float32))
