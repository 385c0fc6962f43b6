"""Talking through llama.cpp: the base as a GGUF file, a version's adapter beside it.

Several times as fast on a processor as transformers in full precision. The tokens of a prompt are made by
the base's own tokenizer and chat form, as everywhere else, so both answer the same question; not always in
the same words, for llama.cpp rounds what goes into a quantized product. So it is used only where it is asked for.
An optional extra: https://github.com/xorbitsai/xllamacpp
"""

import importlib.util
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.store import Store
from . import base as bases
from . import gguf_lora, models
from .base import Base
from .chat_form import Chat
from .generate import prompt_ids
from .models import ModelFiles
from .options import Options
from .prompt_cache import PromptCache
from .sampling import Sampling
from .talk import GREEDY, Talker, Wanted, wanted

# A context's cache is held from the start, so a long one costs memory that few chats need.
MOST_CONTEXT = 8192


class _Model:
    """A model as llama.cpp holds it: its settings, and what computes."""

    def __init__(self, config: Any, server: Any) -> None:
        self.config = config
        self.server = server


class LlamaCppTalker(Talker):
    """A base in GGUF with one version's weights on it. Its model answers, and can do nothing else."""

    @classmethod
    def open(
        cls, store: Store | None, options: Options, version: int | None = None
    ) -> "LlamaCppTalker":
        found = wanted(store, options, version)
        files = bases.find(found.base, bases.choose_device("cpu"))
        found.require(models.digest(files))
        return cls.load(files, found.version, found.folder)

    @classmethod
    def load(
        cls, files: ModelFiles, version: int = 0, folder: Path | None = None
    ) -> "LlamaCppTalker":
        """Load a base, and the adapter in `folder` that makes it a version.

        Raises:
            LearnctlError: llama.cpp or a GGUF file of the base is not there, or cannot be used.
        """
        path = models.gguf(files)
        if importlib.util.find_spec("xllamacpp") is None:
            raise LearnctlError(
                "llama.cpp is not installed",
                hint="`pip install xllamacpp`, or `learnctl config set backend auto`",
            )
        if path is None:
            raise LearnctlError(
                f"llama.cpp needs a GGUF file, and {files.path} holds none",
                hint="`learnctl model pull embedded` makes one of the embedded base; `learnctl config set"
                " backend auto` answers without",
            )
        bases.quiet_libraries()
        config = bases.load_config(files)
        config.max_position_embeddings = min(MOST_CONTEXT, config.max_position_embeddings)
        model = _Model(config, _start(path, folder, config))
        base = Base(
            name=files.name,
            digest=models.digest(files),
            model=model,
            tokenizer=bases.load_tokenizer(files),
            device="cpu",
            quantization=None,
            stop_ids=[],
        )
        return cls(base, model, version)

    def _stands_on(self, found: Wanted) -> bool:
        """llama.cpp puts no other adapter on a base that is loaded."""
        return False

    def base_answer(self, messages: Chat, max_tokens: int) -> str:
        request = self._request(messages, Sampling(max_tokens=max_tokens))
        if self.version:
            request["lora"] = [{"id": 0, "scale": 0.0}]
        return "".join(self._pieces(request)).strip()

    def stream(
        self, messages: Chat, sampling: Sampling = GREEDY, cache: PromptCache | None = None
    ) -> Generator[str, None, None]:
        """The answer to a chat, piece by piece. Closing the iterator ends the generation.

        llama.cpp keeps what it has computed of a conversation by itself, and needs no cache.
        """
        yield from self._pieces(self._request(messages, sampling))

    def _request(self, messages: Chat, sampling: Sampling) -> dict[str, Any]:
        return {
            "prompt": prompt_ids(self.base, self._fit(messages, sampling.max_tokens)),
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "seed": -1 if sampling.seed is None else sampling.seed % 2**32,
            "samplers": ["temperature", "top_k", "top_p"],
            "stream": True,
        }

    def _pieces(self, request: dict[str, Any]) -> Generator[str, None, None]:
        pieces: SimpleQueue[str | BaseException | None] = SimpleQueue()
        stopped = False

        def take(part: Any) -> bool:
            """Called for each piece; whether to stop."""
            if "error" in part:
                pieces.put(LearnctlError(f"llama.cpp: {part['error'].get('message', part)}"))
            else:
                pieces.put(part["choices"][0]["text"])
            return stopped

        def work() -> None:
            try:
                self.base.model.server.handle_completions(request, take)
            except BaseException as error:
                pieces.put(error)
            finally:
                pieces.put(None)

        worker = Thread(target=work, daemon=True)
        worker.start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                if piece:
                    yield piece
        finally:
            stopped = True
            worker.join()


def _start(path: Path, adapter: Path | None, config: Any) -> Any:
    """llama.cpp with a base and perhaps an adapter.

    It comes as a server. Its socket lies in a folder of our own, and is gone as soon as it stands: nobody
    else can talk to it, and nothing listens on the network.
    """
    import torch
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = config.max_position_embeddings
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cache_ram_mib = 0  # else up to 8 GB of earlier prompts
    params.warmup = False
    params.offline = True
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = torch.get_num_threads()
    with ExitStack() as stack:
        if adapter is not None:
            # In the version's own folder: should this process die here, it goes when the version goes.
            folder = stack.enter_context(TemporaryDirectory(dir=adapter))
            lora = Path(folder) / "adapter.gguf"
            gguf_lora.write(adapter, config, lora)
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(lora), 1.0)]
        # Elsewhere, for the path of a socket must be short.
        folder = stack.enter_context(TemporaryDirectory(prefix="learnctl-"))
        params.hostnames = [str(Path(folder) / "llama.sock")]
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise LearnctlError(f"llama.cpp cannot load {path}: {error}") from error
    # Ended before its loop runs it would wait for that for ever: an answer shows that it does.
    server.handle_completions({"prompt": [0], "max_tokens": 1})
    return server
