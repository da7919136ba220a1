"""The loss of a distribution over bins of ab, with rare colours counted more (Zhang, Isola, Efros 2016)."""

import torch
from torch import Tensor, nn

from colorize.color import full_precision
from colorize.color.bins import ab_cells, bin_centers, soft_encoding
from colorize.errors import ColorizeError


class SoftCrossEntropy(nn.Module):
    """Cross-entropy against a colour's shares of its nearest bins, each pixel weighted by how rare its bin is.

    The weight of a bin is 1 / ((1 - `uniform_share`) p + `uniform_share` / Q), scaled so that its mean over p is 1
    (Zhang et al. 2016, equation 4), p being how often the colour occurs: see `rebalance`. A pixel's weight is that of
    its nearest bin.

    A colour's shares are looked up by a and b rounded to whole units. What is constant is no buffer: neither a moving
    average of the weights nor DDP is to copy it.

    Args:
        grid: see `bin_centers`.
        neighbors: how many bins share a colour.
        sigma: of the Gaussian of their distances, in Lab units.
        uniform_share: 1 weighs all pixels alike, towards 0 by 1 / p.

    Raises:
        ValueError: as `bin_centers` and `soft_encoding`, or a uniform_share that is not above 0 and at most 1.
    """

    def __init__(self, grid: int = 10, neighbors: int = 10, sigma: float = 5.0, uniform_share: float = 0.5) -> None:
        super().__init__()
        if not 0 < uniform_share <= 1:
            raise ValueError(f"uniform_share is {uniform_share}, but must be above 0 and at most 1")
        self.uniform_share = uniform_share
        self.bins = len(bin_centers(grid))
        self.indices, self.shares = soft_encoding(grid, neighbors, sigma)
        self.weights = torch.ones(self.bins)

    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Each pixel of ab (B, 2, H, W), in Lab units, as shares of its nearest bins.

        Returns:
            Indices of bins, int64, nearest first, and their shares, float32, each (B, H, W, neighbors).
        """
        self.indices, self.shares = self.indices.to(ab.device), self.shares.to(ab.device)
        cells = ab_cells(ab)
        return self.indices[cells], self.shares[cells]

    def count(self, ab: Tensor) -> Tensor:
        """How often colours occur in ab (B, 2, H, W): the shares of each bin, summed over pixels, float64 (Q,)."""
        pixels = torch.bincount(ab_cells(ab).flatten(), minlength=len(self.indices)).cpu()
        shares = pixels[:, None] * self.shares.cpu().double()
        return torch.zeros(self.bins, dtype=torch.float64).index_add_(0, self.indices.cpu().flatten(), shares.flatten())

    def rebalance(self, histogram: Tensor) -> None:
        """Set the weights by how often colours occur, (Q,) in any unit.

        Raises:
            ColorizeError: another number of bins, or counts that are no finite numbers of at least 0.
        """
        are_counts = histogram.shape == (self.bins,) and bool((histogram.isfinite() & (histogram >= 0)).all())
        if not are_counts or not histogram.any():
            raise ColorizeError(f"a histogram of colours must hold {self.bins} counts that are not all 0")
        p = histogram.double() / histogram.double().sum()
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
