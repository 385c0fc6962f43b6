"""Whether every version is there, is what was published, and can be loaded."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from ..memory.check import Fault
from ..memory.store import Store
from .adapter import WEIGHTS
from .models import file_sha256

_LARGEST_HEADER_BYTES = 100_000_000  # what the format allows


def check_versions(store: Store) -> Iterator[Fault]:
    """A fault for each version whose weights are missing, changed, or no safetensors."""
    for row in store.rows("SELECT version, sha256 FROM adapters WHERE state != 'deleted'"):
        weights = store.home.versions / str(row["version"]) / WEIGHTS
        try:
            if file_sha256(weights) != row["sha256"]:
                yield Fault(f"version {row['version']}: its weights are not what was published")
            elif reason := header_fault(weights):
                yield Fault(f"version {row['version']}: {reason}")
        except FileNotFoundError:
            yield Fault(f"version {row['version']}: its weights are missing")
        except OSError as error:
            yield Fault(f"version {row['version']}: {error.strerror}")


def header_fault(path: Path) -> str:
    """What is wrong with the header of a safetensors file, or nothing.

    https://huggingface.co/docs/safetensors/index#format
    """
    size = os.path.getsize(path)
    with path.open("rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        if size < 8 or n_header > min(size - 8, _LARGEST_HEADER_BYTES):
            return "its weights are cut short"
        try:
            header = json.loads(file.read(n_header))
            ends = [
                tensor["data_offsets"][1]
                for name, tensor in header.items()
                if name != "__metadata__"
            ]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return "its weights are no safetensors"
    if max(ends, default=0) != size - 8 - n_header:
        return "its weights are not as long as they say"
    return ""
