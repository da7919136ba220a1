"""The weights of a repository of the Hub, at a revision that is known afterwards."""

import importlib
import logging
import re
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError, MissingExtraError, first_line

SCHEME = "hf://"
WEIGHTS = "model.safetensors"
"""The one file that is read of a repository."""
_ADDRESS = re.compile(r"(?:hf://)?([\w-][\w.-]*/[\w-][\w.-]*)(?:@([\w./-]+))?", re.ASCII)
_TIMEOUT = 10  # seconds, to answer at all

log = logging.getLogger(__name__)


def parse_address(address: str) -> tuple[str, str | None]:
    """The repository and the revision (a branch, tag or commit, None for the newest) of hf://USER/NAME[@REVISION].

    Raises:
        ColorizeError: it is no such address.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ColorizeError(
            f"{address} is no repository of the Hub: give {SCHEME}USER/NAME or {SCHEME}USER/NAME@COMMIT."
        )
    return found[1], found[2]


def download(address: str) -> tuple[Path, dict[str, str]]:
    """The weights' file in the Hub's cache, and where it is from: `repository` and `revision`, the commit.

    The Hub is asked what the revision stands for. Where it cannot be reached, what its cache has of that revision is
    used, which is logged as a warning.

    Args:
        address: see `parse_address`.

    Raises:
        ColorizeError: no such repository, revision or file, no right to read it, or no network and nothing cached.
        MissingExtraError: the extra `hub` is not installed.
    """
    repository, revision = parse_address(address)
    hub = import_hub(address)
    errors = hub.errors
    offline = None
    try:
        url = hub.hf_hub_url(repository, WEIGHTS, revision=revision)
        hub.get_hf_file_metadata(url, timeout=_TIMEOUT)
    except errors.HFValidationError as error:
        raise ColorizeError(f"{address} is no repository of the Hub: {first_line(error)}") from error
    except errors.HfHubHTTPError as error:
        if error.response is None or error.response.status_code < 500:
            raise refusal(hub, address, error) from error
        offline = error
    except (errors.HTTPError, OSError) as error:  # no connection, or HF_HUB_OFFLINE
        offline = error
    try:
        found = hub.hf_hub_download(repository, WEIGHTS, revision=revision, local_files_only=offline is not None)
    except errors.LocalEntryNotFoundError as error:
        reason = first_line(offline or error).rstrip(".")
        raise ColorizeError(
            f"{address}: the Hub cannot be reached ({reason}) and its cache has no {revision or 'revision'} of it."
        ) from error
    except (errors.HTTPError, OSError, ValueError) as error:
        raise ColorizeError(f"{address} cannot be downloaded: {first_line(error)}") from error
    path = Path(found)
    commit = path.parent.name  # the cache keeps each commit in a folder of its name
    if offline is not None:
        reason = first_line(offline).rstrip(".")
        log.warning("%s: the Hub cannot be reached (%s): its cache's %s is used.", address, reason, commit)
    return path, {"repository": repository, "revision": commit}


def refusal(hub: Any, address: str, error: Exception) -> ColorizeError:
    """The sentence for what the Hub answered."""
    match error:
        case hub.errors.GatedRepoError():
            text = "its owner grants access one by one: ask for it on its page, then `hf auth login`"
        case hub.errors.RepositoryNotFoundError():
            text = "the Hub has no such repository, or it is private: look at the name, or `hf auth login`"
        case hub.errors.RevisionNotFoundError():
            text = "the repository has no such revision: give a branch, a tag or a commit of it"
        case hub.errors.EntryNotFoundError():
            text = f"the repository has no {WEIGHTS}: it holds no weights of this project"
        case _:
            text = f"the Hub refuses: {first_line(error).rstrip('.')}"
    return ColorizeError(f"{address}: {text}.")


def import_hub(address: str) -> Any:
    """The module huggingface_hub.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        importlib.import_module("huggingface_hub.errors")
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise MissingExtraError(f"{address} needs the package huggingface_hub: pip install 'colorize[hub]'.") from error
