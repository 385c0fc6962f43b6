"""A wide pipe takes bursts that nobody has read yet."""

import os
import sys

import pytest

from learnctl.memory.pipes import WIDE_BYTES, widen


def room(descriptor: int) -> int:
    """How many bytes can be written before somebody reads."""
    os.set_blocking(descriptor, False)
    n_bytes = 0
    try:
        while True:
            n_bytes += os.write(descriptor, bytes(4096))
    except BlockingIOError:
        return n_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe be widened")
def test_a_widened_pipe_holds_several_bursts() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as out, os.fdopen(writing, "wb") as into:
        widen(out)
        assert room(into.fileno()) >= WIDE_BYTES // 2


def test_no_pipe_is_no_matter() -> None:
    widen(None)


def test_what_cannot_be_widened_stays_as_it_is() -> None:
    with open(os.devnull, "rb") as nowhere:
        widen(nowhere)
        assert nowhere.read() == b""
