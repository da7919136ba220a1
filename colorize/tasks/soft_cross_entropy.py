"""The loss of a distribution over bins of ab, with rare colours counted more (Zhang, Isola, Efros 2016)."""

import torch
from torch import Tensor, nn

from colorize.color import full_precision
from colorize.color.bins import bin_centers, soft_encode, soft_encoding
from colorize.errors import ColorizeError


class SoftCrossEntropy(nn.Module):
    """Cross-entropy against a colour's shares of its nearest bins, each pixel weighted by how rare its bin is.

    The weight of a bin is 1 / ((1 - `uniform_share`) p + `uniform_share` / Q), scaled so that its mean over p is 1
    (Zhang et al. 2016, equation 4), p being how often the colour occurs: see `rebalance`. A pixel's weight is that of
    its nearest bin.

    Args:
        grid: see `bin_centers`.
        neighbors: how many bins share a colour.
        sigma: of the Gaussian of their distances, in Lab units.
        uniform_share: 1 weighs all pixels alike, 0 by 1 / p.
    """

    def __init__(self, grid: int = 10, neighbors: int = 10, sigma: float = 5.0, uniform_share: float = 0.5) -> None:
        super().__init__()
        if not 0 < uniform_share <= 1:
            raise ColorizeError(f"uniform_share is {uniform_share}, but must be above 0 and at most 1.")
        try:
            indices, shares = soft_encoding(grid, neighbors, sigma)
        except ValueError as error:
            raise ColorizeError(f"{error}.") from error
        self.uniform_share = uniform_share
        self.bins = len(bin_centers(grid))
        self.register_buffer("indices", indices, persistent=False)
        self.register_buffer("shares", shares, persistent=False)
        self.weights = torch.ones(self.bins)  # no buffer: a moving average of the weights is not to touch it

    indices: Tensor
    shares: Tensor

    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """`soft_encode` of ab (B, 2, H, W) in Lab units."""
        return soft_encode(ab, self.indices, self.shares)

    def count(self, ab: Tensor) -> Tensor:
        """How often colours occur in ab (B, 2, H, W): the shares of each bin, summed over pixels, float32 (Q,)."""
        indices, shares = self.encode(ab)
        return torch.zeros(self.bins, device=ab.device).index_add_(0, indices.flatten(), shares.flatten())

    def rebalance(self, histogram: Tensor) -> None:
        """Set the weights by how often colours occur, (Q,) in any unit."""
        p = histogram / histogram.sum()
        weights = 1 / ((1 - self.uniform_share) * p + self.uniform_share / self.bins)
        self.weights = (weights / (weights * p).sum()).float()

    @full_precision
    def forward(self, logits: Tensor, ab: Tensor) -> Tensor:
        """A scalar of logits (B, Q, H, W) and colours ab (B, 2, H, W) in Lab units: the mean over pixels."""
        indices, shares = self.encode(ab)
        logits = logits.movedim(1, -1)
        cross_entropy = logits.logsumexp(-1) - (logits.gather(-1, indices) * shares).sum(-1)
        self.weights = self.weights.to(ab.device)
        return (cross_entropy * self.weights[indices[..., 0]]).mean()
