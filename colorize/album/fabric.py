"""Several processes, one for each device, that share an album: started and connected by Lightning Fabric."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, TypeVar, cast

import torch.distributed as dist
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from tqdm import tqdm

from colorize.album.ranks import Ranks
from colorize.album.stop import Stop
from colorize.errors import ColorizeError

T = TypeVar("T")
AS_LONG_AS_IT_TAKES = timedelta(days=365)  # shares end at different times
FIRST = "COLORIZE_FIRST_RANK"  # the environment variable that tells a rank who started it
AGAIN = "the same command goes on with the photographs that are left."


class FabricRanks(Ranks):
    """One of the ranks: the first on a machine starts the others by the same command, unless Slurm or torchrun did.

    When one of them is killed, the others end at once; pictures are written whole or not at all.

    Args:
        trainer: accelerator, devices, strategy and num_nodes.
        stop: whether the user wants this rank to end.

    Raises:
        ColorizeError: in a multirun, which the other ranks would start again.
    """

    def __init__(self, trainer: Mapping[str, Any], stop: Stop) -> None:
        devices = trainer["devices"]
        self._fabric = Fabric(
            accelerator=trainer["accelerator"],
            devices=devices if isinstance(devices, (int, str)) else [*devices],
            strategy=trainer["strategy"],
            num_nodes=trainer["num_nodes"],
        )
        strategy = self._fabric.strategy
        assert isinstance(strategy, DDPStrategy)
        assert strategy.cluster_environment is not None
        self._starts_others = not strategy.cluster_environment.creates_processes_externally
        if self._starts_others and HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
            raise ColorizeError(
                f"trainer.devices={devices} cannot run in a multirun, whose every rank would start the whole sweep "
                "again: use trainer.devices=1."
            )
        super().__init__(str(strategy.root_device))
        self.on_machine = strategy.num_processes
        self.world = strategy.num_nodes * strategy.num_processes
        self.rank = strategy.cluster_environment.node_rank() * strategy.num_processes + strategy.local_rank
        self._launcher = strategy.launcher
        self._others: list[subprocess.Popen[bytes]] = []
        self._first = None if strategy.local_rank == 0 else int(os.environ.get(FIRST, 0)) or None
        self._prints = strategy.local_rank == 1  # for all, when the first was killed
        self._stop = stop
        self._passed_on = False
        self._shared: Any = None  # what the machines tell each other
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Ranks:
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._ended.set()
        self._watcher.join()
        for process in self._others:
            if error is not None:
                process.kill()
            process.wait()

    def connect(self, value: T) -> T:
        if self._starts_others:
            os.environ[FIRST] = str(os.getpid())
        with self._lost_rank_as_error():
            self._fabric.launch()
            self._group = cast(Any, dist.new_group(backend="gloo", timeout=AS_LONG_AS_IT_TAKES))
            box = [value]
            dist.broadcast_object_list(box, src=0, group=self._group)
        if self.world > self.on_machine:
            self._shared = cast(Any, dist).PrefixStore("stop", dist.distributed_c10d._get_default_store())
        return box[0]

    def wait(self) -> None:
        with self._lost_rank_as_error():
            others: Any = dist.barrier(group=self._group, async_op=True)
            while not others.is_completed():
                self._pass_stop_on()
                time.sleep(0.05)  # in Python, where signals are heard
            others.wait()

    def gather(self, value: T) -> list[T]:
        values = [value] * self.world
        with self._lost_rank_as_error():
            dist.all_gather_object(values, value, group=self._group)
        self._ended.set()
        return values

    def _pass_stop_on(self) -> None:
        """A signal may have reached this rank alone."""
        if not self._stop.asked or self._passed_on:
            return
        self._passed_on = True
        for process in self._others:
            process.send_signal(signal.SIGTERM)
        if self._first is not None:
            os.kill(self._first, signal.SIGTERM)

    def _share_stop(self) -> None:
        """Tell the other machines that this one is to stop, or hear it from them."""
        if self._shared is None:
            return
        with suppress(RuntimeError):  # the machine that keeps it has gone, which `wait` will say
            if self._stop.asked:
                self._shared.set("asked", "yes")
                self._shared = None
            elif self._shared.check(["asked"]):
                self._stop.asked = True

    @contextmanager
    def _lost_rank_as_error(self) -> Iterator[None]:
        """What gloo raises when another rank has ended becomes a ColorizeError."""
        try:
            yield
        except RuntimeError as error:
            self._watcher.join(10)  # it ends this process, if it sees who is gone
            raise ColorizeError(f"Another of the {self.world} processes has ended early: {AGAIN}") from error

    def _watch(self) -> None:
        """End this process when another on this machine has been killed, even while it waits for that one."""
        while not self._ended.wait(0.1):
            self._share_stop()
            started = getattr(self._launcher, "procs", [])
            while started:  # Fabric's own watcher, which kills without a word, then has none to watch
                self._others.append(started.pop(0))
            for number, process in enumerate(self._others, 1):
                if process.poll():
                    self._end(process.returncode, f"process {number + 1} of {self.world}", True)
            if self._first is not None and os.getppid() != self._first:
                self._end(-signal.SIGKILL, f"the first of {self.world} processes", self._prints)

    def _end(self, code: int, who: str, prints: bool) -> None:
        for process in self._others:
            process.kill()
        if prints and code == 130:
            tqdm.write("stopped before the first photograph.", file=sys.stderr)
        elif prints and code < 0:
            tqdm.write(f"error: {who} was killed by signal {-code}: the others have ended, {AGAIN}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(130 if code == 130 else 1)
