"""What is wrong with broken JSON, and where."""

import json
from pathlib import Path

_LARGEST_REREAD_BYTES = 64 * 2**20


def describe(path: Path, fallback: Exception) -> str:
    """The fault with its line and column where reading the file once more can tell."""
    try:
        if path.stat().st_size <= _LARGEST_REREAD_BYTES:
            json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        return f"broken JSON: {error.msg} at line {error.lineno} column {error.colno}"
    except UnicodeDecodeError:
        return "broken JSON: not in UTF-8"
    except (RecursionError, OSError):
        pass
    return f"broken JSON: {str(fallback).strip().splitlines()[0]}"


def looks_like_json(head: bytes) -> bool:
    """An object, or an array of objects, begins here; `[1] a note` does not."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"["):
        start = start[1:].lstrip()
    return start.startswith(b"{") and start[1:].lstrip()[:1] in (b'"', b"}", b"")
