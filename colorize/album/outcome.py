"""What became of the photographs of an album."""

from collections import Counter
from dataclasses import dataclass, field

from colorize.album.ledger import LedgerRow


@dataclass
class Outcome:
    """How many photographs have which status, and the messages of those that failed."""

    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    stopped: bool = False
    disk_full: str | None = None

    def add(self, row: LedgerRow) -> None:
        """Count a photograph that is finished, or kept."""
        self.counts[row.status] += 1
        if row.status == "failed":
            self.failed.append(row.message)

    def join(self, other: "Outcome") -> None:
        """Add what became of the photographs of another rank."""
        self.counts += other.counts
        self.failed += other.failed
        self.stopped |= other.stopped
        self.disk_full = self.disk_full or other.disk_full

    @property
    def left(self) -> int:
        """How many are neither made nor failed."""
        return self.total - self.counts.total()

    def summary(self) -> str:
        """How many have which status, as "2 written, 1 in colour already, 0 kept, 0 failed"."""
        colored = f"{self.counts['colored']} in colour already, " if self.counts["colored"] else ""
        return f"{self.counts['done']} written, {colored}{self.counts['kept']} kept, {self.counts['failed']} failed"
