"""The network of a run, as a table and as a diagram."""

import copy
import importlib.util
import logging
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.model_summary import ModelSummary  # type: ignore[attr-defined]
from torch import Tensor, nn

from colorize.data.base import data_of
from colorize.files import write_whole
from colorize.tasks.base import Task
from colorize.training.callbacks.drawing import DrawingCallback

if TYPE_CHECKING:
    from graphviz import Digraph

log = logging.getLogger(__name__)


class Architecture(DrawingCallback):
    """Writes `architecture.txt` (every layer) and `architecture.svg` (a diagram) when training starts.

    The diagram needs torchview and Graphviz's `dot`; where they are missing, one line says how to get them.

    Args:
        folder: where the files go.
        depth: down to which nesting the diagram shows modules; deeper ones are one block.
    """

    def __init__(self, folder: str, depth: int = 2) -> None:
        self.folder = Path(folder)
        self.depth = depth

    @rank_zero_only
    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        assert isinstance(module, Task)
        image_size = data_of(trainer).image_size
        with self.drawing(self.folder / "architecture.txt"):
            self._write_table(Shadow(module, image_size))
        with self.drawing(self.folder / "architecture.svg"):
            self._write_diagram(Shadow(module, image_size))

    def _write_table(self, shadow: "Shadow") -> None:
        title = shadow.title()
        log.info("%s", title)
        table = f"{title}\n\n{ModelSummary(shadow, max_depth=-1)}\n"
        write_whole(self.folder / "architecture.txt", table.encode())

    def _write_diagram(self, shadow: "Shadow") -> None:
        missing = missing_tools()
        if missing:
            log.info("architecture.svg is not drawn: it needs %s.", " and ".join(missing))
        else:
            write_whole(self.folder / "architecture.svg", diagram(shadow, self.depth).pipe(format="svg", quiet=True))


class Shadow(pl.LightningModule):
    """A copy of a task's network without values, whose forward pass gives shapes and touches nothing else.

    Args:
        task: whose network it is.
        image_size: height and width of the pictures; padded to what the network needs.
    """

    def __init__(self, task: Task, image_size: int) -> None:
        super().__init__()
        self.network = copy.deepcopy(task.network)
        side = image_size + -image_size % self.network.multiple
        self.to("meta")
        self.example_input_array = torch.empty(1, task.target.in_channels, side, side, device="meta")

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.network(x)
        return out

    def title(self) -> str:
        """Name, number of parameters, shape of the input and of the output, on one line."""
        x = self.example_input_array
        assert isinstance(x, Tensor)
        with torch.no_grad():
            y = copy.deepcopy(self.network).eval()(x)
        shapes = " -> ".join(" x ".join(map(str, tensor.shape[1:])) for tensor in (x, y))
        return f"{type(self.network).__name__}, {count(self.network)}: {shapes}"


def diagram(shadow: Shadow, depth: int) -> "Digraph":
    """The network as a Graphviz graph: for each block its place, its parameters and its shapes."""
    from torchview import draw_graph

    network = copy.deepcopy(shadow.network)
    for path, module in list(network.named_modules())[1:]:
        # torchview names a module after its class
        module.__class__ = type(f"{path}: {kind(module)} ({count(module)})", (type(module),), {})
    graph = draw_graph(network, shadow.example_input_array, depth=depth, device="meta", expand_nested=True).visual_graph
    graph.body[:] = [tidy(line) for line in graph.body]
    graph.attr(label=f"{shadow.title()}\n\n", labelloc="t", fontsize="14")
    for attributes in (graph.graph_attr, graph.node_attr):
        attributes["fontname"] = "Helvetica"
    return graph


def tidy(line: str) -> str:
    """A line of torchview's graph, with B for the batch, the words of a name below each other, and no depth."""
    line = line.replace("input-tensor", "input").replace("output-tensor", "output").replace("(1, ", "(B, ")
    line = re.sub(r"([\w.]+): ([^(]+) \((.*?)\)<BR/>", r"<B>\2</B><BR/>\1<BR/>\3<BR/>", line)
    line = re.sub(r"<BR/>(no parameters<BR/>)?depth:\d+", "", line)
    group = r"fontsize=12 label=\"([\w.]+): [^(]+ \((.*?)\)\""
    return re.sub(group, r'fontsize=10 label="\1\\l\2\\l"', line)


def kind(module: nn.Module) -> str:
    """The class of a module; for a sequence, the classes of what is in it."""
    if not isinstance(module, nn.Sequential):
        return type(module).__name__
    return " + ".join(kind(child) for child in module if not isinstance(child, nn.Identity))


def count(module: nn.Module) -> str:
    number = sum(parameter.numel() for parameter in module.parameters())
    return f"{number:,} parameters" if number else "no parameters"


def missing_tools() -> list[str]:
    """What the diagram needs and this machine lacks, each with the way to get it."""
    missing = []
    if importlib.util.find_spec("torchview") is None:
        missing.append("torchview (pip install 'colorize[architecture]')")
    if shutil.which("dot") is None:
        missing.append("Graphviz's dot (install graphviz with the system's package manager)")
    return missing
