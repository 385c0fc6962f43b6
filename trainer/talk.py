"""Talking to base and version: the weights, and what retrieval adds to a question."""

from collections.abc import Iterator
from dataclasses import replace

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service
from ..memory.search import TRUSTED_KINDS, Hit, search
from ..memory.store import Record, Store
from . import adapter, models, registry
from . import base as bases
from .base import Base
from .chat_form import Chat
from .generate import prompt_ids, stream
from .knowledge import known_chunks
from .options import Options

# Room left for the answer and for what a model's context cannot hold anyway.
LEAST_CONTEXT = 512
PASSAGE_WORDS = 80
# A passage must match this well, beside the best one, to stand in the prompt.
RELATIVE_SCORE = 0.5


class Talker:
    """A base with one version's weights on it, ready to answer.

    Attributes:
        version: the version that talks; 0 is the base.
    """

    def __init__(self, base: Base, model: object, version: int) -> None:
        self.base = base
        self.model = model
        self.version = version

    @classmethod
    def open(cls, store: Store | None, options: Options, version: int | None = None) -> "Talker":
        """Load the base and a version: the one in service where none is named.

        Raises:
            LearnctlError: the version is not there, or its base is not.
        """
        if version is None:
            version = in_service(store) if store else 0
        if not version or store is None:
            base = bases.load(options.base, options.quantize, options.device)
            return cls(base, base.model, 0)
        folder = registry.weights_folder(store, version)
        trained_on = store.row("SELECT * FROM adapters WHERE version = ?", version)
        assert trained_on is not None
        base = bases.load(_base_of(trained_on, options), options.quantize, options.device)
        if trained_on["base_digest"] != base.digest:
            raise LearnctlError(
                f"version {version} was trained on {trained_on['base_name']}, which is not here as it was then",
                hint="bring it back, or `learnctl consolidate` to learn anew; `--version base` talks at once",
            )
        return cls(base, adapter.load_adapter(base, folder), version)

    def stream(self, messages: Chat, max_tokens: int = 256) -> Iterator[str]:
        """The greedy answer to a chat, piece by piece."""
        yield from stream(self.base, self.model, self._fit(messages, max_tokens), max_tokens)

    def answer(self, messages: Chat, max_tokens: int = 256) -> str:
        return "".join(self.stream(messages, max_tokens)).strip()

    def _fit(self, messages: Chat, max_tokens: int) -> Chat:
        """The chat without its oldest turns, as far as the context demands; a system prompt stays."""
        config = self.base.model.config.get_text_config()
        room = max(LEAST_CONTEXT, getattr(config, "max_position_embeddings", 2048)) - max_tokens
        system = [m for m in messages[:1] if m["role"] == "system"]
        turns = messages[len(system) :]
        while len(turns) > 1 and len(prompt_ids(self.base, [*system, *turns])) > room:
            turns = turns[2:] if len(turns) > 2 else turns[-1:]
        return [*system, *turns]


def _base_of(trained_on: Record, options: Options) -> str:
    """A version's own base, also where another was chosen since: the nights to come learn on that one.

    Where it is not here under its name, the chosen one may be the same under another."""
    try:
        models.find(trained_on["base_name"])
    except LearnctlError:
        return options.base
    return str(trained_on["base_name"])


def passages(store: Store, question: str, limit: int = 3, version: int | None = None) -> list[Hit]:
    """What was ingested that bears on a question: documents and the user's own words. What the weights of
    a version (None: the one in service) do not hold comes first, for only the prompt can tell it."""
    hits = search(store, question, limit, TRUSTED_KINDS, for_prompt=True)
    hits = [hit for hit in hits if hit.score >= RELATIVE_SCORE * hits[0].score]
    known = known_chunks(store, [hit.chunk for hit in hits], version)
    labelled = [replace(hit, known=hit.chunk in known) for hit in hits]
    return sorted(labelled, key=lambda hit: hit.known)


def with_passages(messages: Chat, hits: list[Hit]) -> Chat:
    """The chat with passages in front of its last question."""
    notes = "\n\n".join(
        f"[{_label(hit)}] {' '.join(hit.text.split()[:PASSAGE_WORDS])}" for hit in hits
    )
    question = messages[-1]["content"]
    asked = f"From my notes:\n\n{notes}\n\nWith these notes, answer: {question}"
    return [*messages[:-1], {"role": "user", "content": asked}]


def _label(hit: Hit) -> str:
    return (
        f"{hit.title}, from a source that is not trusted" if hit.trust == "untrusted" else hit.title
    )
