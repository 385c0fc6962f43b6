"""The items of a file, read and prepared; those of a large one by a process of its own.

With two cores a large file so is read and prepared beside the parent, which has the store to write. The
process is ours and trusted: it reads through one of `sandbox`, as the parent does for small files, which are
done before it would have started.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import sandbox
from .errors import LearnctlError, UnreadableSource
from .pipes import widen
from .prepare import (
    Lines,
    Passage,
    Prepared,
    PreparedConversation,
    PreparedDocument,
    Preparer,
    Said,
    Worthless,
)
from .sandbox import OnRead
from .wire import from_line

LARGE_BYTES = 4 * 2**20
_MODULE = f"{__package__}.preparing_process"


def prepared(
    path: Path, preparer: Preparer, on_read: OnRead = lambda n_bytes: None
) -> Iterator[Prepared]:
    """What a file holds, streamed.

    Args:
        on_read: called now and then with the bytes of the file that were read.

    Raises:
        UnreadableSource: as `sandbox.read`; or the process was ended, as where there is no memory left.
        LearnctlError: a process does not start.
    """
    if path.stat().st_size < LARGE_BYTES:
        yield from map(preparer.prepare, sandbox.read(path, on_read=on_read))
        return
    for name, value in _ask(path, preparer):
        if name == "at":
            on_read(int(value))
        elif name == "refused":
            raise UnreadableSource(str(value))
        elif name == "failed":
            raise LearnctlError(str(value))
        else:
            yield _document(value) if name == "document" else _conversation(value)


def _ask(path: Path, preparer: Preparer) -> Iterator[tuple[str, Any]]:
    """Its answers by name, to the last."""
    request = {
        "path": str(path),
        "key": preparer.redact.key.hex(),
        "contacts": preparer.redact.contacts,
        "is_own": preparer.is_own,
        "me": list(preparer.me),
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    widen(process.stdout)
    with process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(request).encode("utf-8", "surrogatepass") + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                if not line.endswith(b"\n"):
                    break
                name, value = from_line(line)
                if name == "done":
                    return
                yield name, value
            raise UnreadableSource("the process that prepares its texts was ended")
        except BaseException:
            process.kill()
            raise


def _document(value: list[Any]) -> PreparedDocument:
    title, author, date, is_letter, passages, left_out, met = value
    return PreparedDocument(
        title, author, date, is_letter, _passages(passages), _worthless(left_out), Lines(*met)
    )


def _conversation(value: list[Any]) -> PreparedConversation:
    title, external_id, started_at, messages, alternatives, met, notes, strangers = value
    return PreparedConversation(
        title,
        external_id,
        started_at,
        _said(messages),
        _said(alternatives),
        Lines(*met),
        notes,
        strangers,
    )


def _said(values: list[Any]) -> list[Said]:
    return [
        Said._make([*said, _passages(passages), _worthless(left_out)])
        for *said, passages, left_out in values
    ]


def _passages(values: list[Any]) -> list[Passage]:
    return [Passage(*fields) for fields in values]


def _worthless(values: list[Any]) -> list[Worthless]:
    return [Worthless(*fields) for fields in values]
