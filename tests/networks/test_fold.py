"""What inference runs says what was trained."""

import pytest
import torch
from torch import nn

from colorize.networks import build_network
from colorize.networks.fold import cast_weights, fold_batch_norms


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "EncoderUNet", "encoder": "efficientnet_lite2"},
        {"name": "UNet", "width": 8, "depth": 2},
        {"name": "UNet", "width": 8, "depth": 2, "norm": "group"},
        {"name": "ConvAutoencoder"},
    ],
)
def test_folding_changes_no_answer_and_leaves_the_network(spec: dict[str, object]) -> None:
    torch.manual_seed(0)
    network = build_network(spec, 1, 2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    network.eval()
    names = list(network.state_dict())
    folded = fold_batch_norms(network)
    x = torch.rand(2, 1, 64, 96) * 2 - 1
    with torch.inference_mode():
        expected = network(x)
        assert (folded(x) - expected).abs().max() < 1e-5 * max(1, expected.abs().max())
    assert list(network.state_dict()) == names
    kept = {id(tensor) for tensor in network.parameters()}
    assert sum(id(tensor) in kept for tensor in folded.parameters()) >= 2  # those of the head
    left = sum(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert left == 0


def test_a_batch_norm_that_still_learns_stays() -> None:
    layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert isinstance(fold_batch_norms(layers)[1], nn.BatchNorm2d)
    assert isinstance(fold_batch_norms(layers.eval())[1], nn.Identity)


def test_cast_weights_answer_as_autocast_and_leave_the_network() -> None:
    torch.manual_seed(0)
    network = build_network({"name": "EncoderUNet", "encoder": "efficientnet_lite0"}, 1, 2).eval()
    cast = cast_weights(network, torch.bfloat16)
    x = torch.rand(2, 1, 64, 96) * 2 - 1
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(cast(x), network(x))
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}
    assert {layer.weight.dtype for layer in cast.modules() if isinstance(layer, nn.Conv2d)} == {torch.bfloat16}
    pairs = zip(cast.modules(), network.modules(), strict=True)
    assert all(one.weight is other.weight for one, other in pairs if isinstance(one, nn.BatchNorm2d))
