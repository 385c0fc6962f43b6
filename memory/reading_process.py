"""The process in which files are read: one request a line on stdin, answers as lines on stdout.

    python -m learnctl.memory.reading_process LIMITS

It ends with its stdin, with its parent, or when nobody has asked for a while.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Any

from . import readers
from .errors import UnreadableSource
from .limits import Limits, confine, die_with_parent, limit_processor_time
from .read_so_far import ReadSoFar
from .unpack import is_archive, unpack
from .wire import item_to_line, to_line

IDLE_S = 60


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1]))
    answers = _take_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    die_with_parent()
    confine(limits)
    answers.write(to_line("ready", None))
    answers.flush()
    for request in _requests():
        limit_processor_time(float(request["seconds"]))
        try:
            for answer in _answers(request["do"], Path(request["path"])):
                answers.write(answer)
                if request["stepwise"]:
                    answers.flush()
                    sys.stdin.buffer.readline()
            answers.write(to_line("done", None))
        except UnreadableSource as error:
            answers.write(to_line("refused", str(error)))
        except OSError as error:
            answers.write(to_line("refused", (error.strerror or str(error)).lower()))
        except MemoryError:
            # What is left of the heap is no place to read another file in.
            answers.write(to_line("exhausted", None))
            break
        answers.flush()
    answers.flush()


def _take_stdout() -> IO[bytes]:
    """The way to the parent, out of reach of libraries that print."""
    answers = os.fdopen(os.dup(1), "wb", buffering=2**18)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return answers


def _requests() -> Iterator[dict[str, Any]]:
    while True:
        signal.alarm(IDLE_S)
        line = sys.stdin.buffer.readline()
        signal.alarm(0)
        if not line:
            return
        yield json.loads(line)


def _answers(task: str, path: Path) -> Iterator[bytes]:
    if task == "detect":
        yield to_line("format", _format(path))
        return
    so_far = ReadSoFar(path)
    for answer in _unpacked(path) if task == "unpack" else map(item_to_line, readers.read(path)):
        yield answer
        if (n_bytes := so_far.step()) is not None:
            yield to_line("at", n_bytes)


def _unpacked(path: Path) -> Iterator[bytes]:
    return (to_line(*found) for found in unpack(path, Path(gettempdir())))


def _format(path: Path) -> str:
    try:
        return readers.detect(path)
    except UnreadableSource:
        if is_archive(path):
            return "archive"
        raise


if __name__ == "__main__":
    main()
