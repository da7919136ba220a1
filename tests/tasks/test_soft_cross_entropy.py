"""The loss of bins against the dense formula, and the weights of rare colours."""

import pytest
import torch
from torch import Tensor

from colorize.color.bins import bin_centers
from colorize.errors import ColorizeError
from colorize.tasks.soft_cross_entropy import SoftCrossEntropy


def dense_shares(ab: Tensor, grid: int, neighbors: int, sigma: float) -> Tensor:
    """(B, Q, H, W) of ab (B, 2, H, W): Zhang et al. 2016, section 2.2, without any look-up."""
    distances = (ab.round()[:, None] - bin_centers(grid)[:, :, None, None]).norm(dim=2)
    near = distances <= distances.kthvalue(neighbors, dim=1, keepdim=True).values
    shares = torch.exp(-distances.double().square() / (2 * sigma**2)) * near
    return shares / shares.sum(1, keepdim=True)


def example(bins: int, size: int = 6) -> tuple[Tensor, Tensor]:
    """Logits, and colours that are equally far from no two bins."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, bins, size, size, generator=generator)
    centers = bin_centers(20)
    near = centers[torch.randint(len(centers), (2, size, size), generator=generator)].movedim(-1, 1)
    return logits, near + torch.tensor([3.0, 1]).view(1, 2, 1, 1)


@pytest.mark.parametrize("rebalanced", [False, True])
def test_the_loss_and_its_gradient_are_the_dense_formulas(rebalanced: bool) -> None:
    loss = SoftCrossEntropy(20, neighbors=3, sigma=8.0)
    logits, ab = example(loss.bins)
    if rebalanced:
        loss.rebalance(torch.rand(loss.bins, generator=torch.Generator().manual_seed(1)))
    shares = dense_shares(ab, 20, 3, 8.0)
    exact = logits.double().requires_grad_()
    pixels = -(shares * exact.log_softmax(1)).sum(1) * loss.weights[shares.argmax(1)]
    expected = pixels.mean()
    expected.backward()
    logits.requires_grad_()
    found = loss(logits, ab)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert logits.grad is not None
    assert exact.grad is not None
    torch.testing.assert_close(logits.grad.double(), exact.grad, atol=1e-6, rtol=1e-4)
    for memory in (torch.channels_last, torch.contiguous_format):
        with torch.autocast("cpu", torch.bfloat16):
            assert loss(logits.to(memory_format=memory), ab).item() == pytest.approx(found.item(), rel=1e-6)


def test_the_best_distribution_is_that_of_the_shares() -> None:
    loss = SoftCrossEntropy(20, neighbors=3)
    logits, ab = example(loss.bins)
    shares = dense_shares(ab, 20, 3, 5.0)
    best = loss(shares.clamp_min(1e-9).log().float(), ab).item()
    assert best == pytest.approx(torch.special.entr(shares).sum(1).mean().item(), abs=1e-4)
    assert loss(logits, ab).item() > best + 1


@pytest.mark.parametrize("uniform_share", [0.01, 0.5, 1.0])
def test_weights_are_those_of_equation_4(uniform_share: float) -> None:
    loss = SoftCrossEntropy(20, uniform_share=uniform_share)
    counts = torch.rand(loss.bins, generator=torch.Generator().manual_seed(0)) ** 4
    counts[3] = 0
    loss.rebalance(1000 * counts)
    p = counts.double() / counts.double().sum()
    expected = 1 / ((1 - uniform_share) * p + uniform_share / loss.bins)
    torch.testing.assert_close(
        loss.weights.double() / loss.weights[0].double(), expected / expected[0], rtol=1e-5, atol=0
    )
    assert (loss.weights * p).sum().item() == pytest.approx(1, abs=1e-6)
    assert loss.weights[3] == loss.weights.max()
    assert bool((loss.weights == 1).all()) == (uniform_share == 1)


def test_counting_is_exact_however_many_pixels() -> None:
    """A sum of float32 stands still at 2 ** 21 shares of 0.1."""
    loss = SoftCrossEntropy(20)
    gray = torch.zeros(2, 2, 1500, 1000)
    shares = dense_shares(gray[:1, :, :1, :1], 20, 10, 5.0)[0, :, 0, 0]
    count = loss.count(gray)
    assert count.sum().item() == pytest.approx(3e6, rel=1e-6)
    torch.testing.assert_close(count[shares > 0.01] / 3e6, shares[shares > 0.01], rtol=1e-5, atol=1e-6)
    ab = torch.rand(2, 2, 30, 20) * 60
    indices, each = loss.encode(ab)
    expected = torch.zeros(loss.bins, dtype=torch.float64).index_add_(0, indices.flatten(), each.double().flatten())
    torch.testing.assert_close(loss.count(ab), expected)


@pytest.mark.parametrize(
    "histogram", [torch.ones(3), torch.zeros(99), -torch.ones(99), torch.full((99,), torch.nan), torch.ones(99, 1)]
)
def test_what_is_no_histogram_is_refused(histogram: Tensor) -> None:
    loss = SoftCrossEntropy(20)
    wrong = histogram if len(histogram) == 3 else histogram[:1].expand(loss.bins, *histogram.shape[1:])
    with pytest.raises(ColorizeError, match=f"must hold {loss.bins} counts"):
        loss.rebalance(wrong)


def test_what_inference_mode_made_serves_in_training() -> None:
    loss = SoftCrossEntropy(20)
    logits, ab = example(loss.bins)
    with torch.inference_mode():
        loss.indices, loss.shares = loss.indices.clone(), loss.shares.clone()  # as a move to a device makes them
        loss.rebalance(torch.rand(loss.bins))
        assert loss.weights.is_inference()
    loss(logits.requires_grad_(), ab).backward()
    assert logits.grad is not None
