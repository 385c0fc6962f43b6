"""The process that prepares a large file: one request on stdin, prepared items as lines on stdout.

    python -m learnctl.memory.preparing_process

It ends with its parent.
"""

import gc
import json
import os
import signal
import sys
from pathlib import Path

from . import sandbox
from .errors import LearnctlError, UnreadableSource
from .limits import die_with_parent
from .prepare import PreparedDocument, Preparer
from .redact import Redactor
from .wire import to_line

GC_THRESHOLD = 50_000


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    die_with_parent()
    # Items come and go whole, and nothing of them refers to itself: looking for what does took a twentieth.
    gc.set_threshold(GC_THRESHOLD)
    request = json.loads(sys.stdin.buffer.readline())
    redact = Redactor(bytes.fromhex(request["key"]), request["contacts"])
    preparer = Preparer(redact, request["is_own"], frozenset(request["me"]))
    with os.fdopen(1, "wb", buffering=2**18) as answers:

        def say(name: str, value: object) -> None:
            answers.write(to_line(name, value))

        try:
            path = Path(request["path"])
            for item in sandbox.read(path, on_read=lambda n_bytes: say("at", n_bytes)):
                prepared = preparer.prepare(item)
                is_document = isinstance(prepared, PreparedDocument)
                say("document" if is_document else "conversation", prepared)
            say("done", None)
        except UnreadableSource as error:
            say("refused", str(error))
        except LearnctlError as error:
            say("failed", str(error))


if __name__ == "__main__":
    main()
