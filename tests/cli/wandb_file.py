"""W&B's own record of a run, the file that `wandb sync` uploads."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]


def read_records(path: Path) -> list[Record]:
    """The records of a .wandb file: LevelDB's log format after seven bytes."""
    data, position, records, content = path.read_bytes(), 7, [], b""
    assert data[:4] == b":W&B"
    while position < len(data):
        left = 2**15 - position % 2**15
        if left < 7:
            position += left
            continue
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        content += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or its last piece
            records.append(Record.FromString(content))
            content = b""
    return records


@dataclass(frozen=True)
class Written:
    """A W&B run as the file in its folder tells it."""

    folder: Path

    @cached_property
    def records(self) -> list[Record]:
        (path,) = self.folder.glob("run-*.wandb")
        return read_records(path)

    def all(self, kind: str) -> list[Any]:
        return [getattr(record, kind) for record in self.records if record.WhichOneof("record_type") == kind]

    @property
    def run(self) -> Any:
        (run,) = self.all("run")
        return run

    @property
    def exit_code(self) -> int:
        (end,) = self.all("exit")
        return int(end.exit_code)

    @property
    def config(self) -> dict[str, Any]:
        updates = [update for config in self.all("config") for update in config.update]
        return {update.key: json.loads(update.value_json) for update in updates}

    @property
    def history(self) -> list[dict[str, Any]]:
        return [
            {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in row.item}
            for row in self.all("history")
        ]

    def values(self, name: str) -> list[tuple[int, Any]]:
        """(epoch, value) of a metric."""
        return [(row["epoch"], row[name]) for row in self.history if name in row]

    def artifact(self, kind: str) -> Any:
        (artifact,) = [artifact for artifact in self.all("artifact") if artifact.type == kind]
        return artifact


def written(folder: Path) -> Written:
    (found,) = folder.glob("wandb/offline-run-*")
    return Written(found)
