"""What answers: transformers, or llama.cpp where it is asked for."""

from ..memory.store import Store
from . import llamacpp
from .options import Options
from .talk import Talker


def open_talker(store: Store | None, options: Options, version: int | None = None) -> Talker:
    """A version ready to answer, by the backend that the options choose.

    Raises:
        LearnctlError: the version, its base or the backend is not there.
    """
    kind = llamacpp.LlamaCppTalker if options.backend == "llamacpp" else Talker
    return kind.open(store, options, version)
