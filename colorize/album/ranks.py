"""What the processes that share an album do together, here for one process alone."""

from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Ranks:
    """This process alone, on one device; `colorize.album.fabric` has the processes of several.

    Attributes:
        device: a name for torch.device.
        rank: the number of this process, from 0.
        world: how many processes share the photographs.
        on_machine: how many of them share this machine.
    """

    rank = 0
    world = 1
    on_machine = 1

    def __init__(self, device: str) -> None:
        self.device = device

    def __enter__(self) -> "Ranks":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End the other processes too."""

    def connect(self, value: T) -> T:
        """Start the other processes, or meet them; the first one's value on all of them."""
        return value

    def wait(self) -> None:
        """Return when each process is here; a stop that is asked of one of them is asked of all."""

    def gather(self, value: T) -> list[T]:
        """The value of each process, by rank."""
        return [value]
