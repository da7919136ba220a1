"""Weights, their configuration, a page and painted samples, in one commit to a repository of the Hub."""

import json
import tempfile
from pathlib import Path
from typing import Any, Protocol

from safetensors import safe_open

from colorize.errors import ColorizeError, first_line
from colorize.hub.card import SHEET, contact_sheet, model_card
from colorize.hub.download import SCHEME, WEIGHTS, import_hub, parse_address, refusal
from colorize.images import Pixels


class Pushable(Protocol):
    """A colorizer."""

    working_size: int

    @property
    def needs_color(self) -> bool: ...

    def save(self, path: Path) -> None: ...

    def render(self, pixels: Pixels) -> Pixels: ...


def push(colorizer: Pushable, repository: str, private: bool = False, license: str | None = None) -> str:
    """Write a colorizer to a repository, which is made where there is none.

    Args:
        colorizer: of weights of torch.
        repository: USER/NAME.
        private: of a new repository.
        license: see `model_card`.

    Returns:
        The address of what was written, with its commit: hf://USER/NAME@COMMIT.

    Raises:
        ColorizeError: no such name, no right to write there, or no network.
        MissingExtraError: the extra `hub` is not installed.
    """
    repository, revision = parse_address(repository)
    address = f"{SCHEME}{repository}"
    if revision is not None:
        raise ColorizeError(f"{address}@{revision}: weights are pushed to a repository, not to a revision of it.")
    hub = import_hub(address)
    with tempfile.TemporaryDirectory() as temporary:
        weights = Path(temporary) / WEIGHTS
        colorizer.save(weights)
        with safe_open(weights, framework="numpy") as file:
            header: dict[str, Any] = json.loads(file.metadata()["colorize"])
        contents = {
            "config.json": (json.dumps(header, indent=2) + "\n").encode(),
            "README.md": model_card(repository, header, license).encode(),
            SHEET: contact_sheet(colorizer.render, colorizer.needs_color, colorizer.working_size),
        }
        add = hub.CommitOperationAdd
        operations = [add(WEIGHTS, str(weights)), *(add(name, content) for name, content in contents.items())]
        try:
            api = hub.HfApi()
            api.create_repo(repository, private=private, exist_ok=True)
            commit = api.create_commit(repository, operations, commit_message="Add weights of colorize")
        except hub.errors.LocalTokenNotFoundError as error:
            raise ColorizeError(f"{address}: nobody is logged in: `hf auth login`, or set HF_TOKEN.") from error
        except hub.errors.HfHubHTTPError as error:
            if error.response is not None and error.response.status_code in (401, 403):
                raise ColorizeError(
                    f"{address}: the Hub does not let you write there: `hf auth login` with a token that may write."
                ) from error
            raise refusal(hub, address, error) from error
        except (hub.errors.HTTPError, OSError, ValueError, RuntimeError) as error:
            raise ColorizeError(f"{address}: nothing could be written to the Hub: {first_line(error)}") from error
    return f"{address}@{commit.oid}"
