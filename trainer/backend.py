"""What answers: transformers, or llama.cpp where it is installed and suits the machine."""

from ..memory.store import Store
from . import base as bases
from . import gguf_lora, llamacpp, models
from .options import Options
from .talk import Talker, Wanted, wanted


def open_talker(store: Store | None, options: Options, version: int | None = None) -> Talker:
    """A version ready to answer, by the backend that the options choose.

    Raises:
        LearnctlError: the version, its base or the backend is not there.
    """
    if options.backend == "llamacpp" or (
        options.backend == "auto" and _suits_llamacpp(wanted(store, options, version), options)
    ):
        return llamacpp.LlamaCppTalker.open(store, options, version)
    return Talker.open(store, options, version)


def _suits_llamacpp(found: Wanted, options: Options) -> bool:
    """Whether `auto` means llama.cpp: a base in GGUF on a processor, an adapter that can go with it."""
    if not llamacpp.is_installed():
        return False
    device = bases.choose_device(options.device)
    if device.type != "cpu":
        return False
    files = bases.find(found.base, device)
    if models.gguf(files) is None:
        return False
    return found.folder is None or gguf_lora.is_known(bases.load_config(files))
