"""Talking to base and version: the weights, and what retrieval adds to a question."""

from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service
from ..memory.search import TRUSTED_KINDS, Hit, search
from ..memory.store import Record, Store
from ..memory.unspaced import first_words
from . import adapter, models, registry
from . import base as bases
from .base import Base
from .bearing import bearing, led_to
from .chat_form import PASSAGE_WORDS, Chat, from_notes
from .generate import answer_batch, beams, prompt_ids, stream
from .judged import bounds
from .knowledge import known_chunks
from .moved import MOVED, moved
from .options import Options
from .prompt_cache import PromptCache
from .sampling import Sampling

# A context that is taken to be there, whatever a model's configuration says.
LEAST_CONTEXT = 512
# So many passages more are looked for, in place of those that the conversation says already.
SEEN_AT_MOST = 9
# A passage must match this well, beside the best one, to stand in the prompt.
RELATIVE_SCORE = 0.5
GREEDY = Sampling()


@dataclass(frozen=True)
class Wanted:
    """What is to talk, before any of it is loaded.

    Attributes:
        version: 0 is the base.
        base: the name of its base.
        folder: where its weights lie; None for the base.
        base_digest: of the base that it was trained on; None for the base.
        judges: whether its night has learned when a learned answer is to be given.
    """

    version: int
    base: str
    folder: Path | None = None
    base_digest: str | None = None
    judges: bool = False

    def require(self, digest: str) -> None:
        """Raises `LearnctlError` where a base with this digest is not the one it was trained on."""
        if self.base_digest not in (None, digest):
            raise LearnctlError(
                f"version {self.version} was trained on {self.base}, which is not here as it was then",
                hint="bring it back, or `learnctl consolidate` to learn anew; `--version base` talks at once",
            )


def wanted(store: Store | None, options: Options, version: int | None = None) -> Wanted:
    """The version that is to talk: the one in service where none is named.

    Raises:
        LearnctlError: it is not there.
    """
    if version is None:
        version = in_service(store) if store else 0
    if not version or store is None:
        return Wanted(0, options.base)
    folder = registry.weights_folder(store, version)
    trained_on = store.row("SELECT * FROM adapters WHERE version = ?", version)
    assert trained_on is not None  # its folder was just found
    judges = bounds(store, version) is not None
    return Wanted(version, _base_of(trained_on, options), folder, trained_on["base_digest"], judges)


class Talker:
    """A base with one version's weights on it, ready to answer.

    Attributes:
        version: the version that talks; 0 is the base.
        judges: whether it can tell what it learned, and whether that answers a question.
    """

    def __init__(self, base: Base, model: Any, version: int, judges: bool = False) -> None:
        self.base = base
        self.model = model
        self.version = version
        self.judges = judges

    @classmethod
    def open(cls, store: Store | None, options: Options, version: int | None = None) -> "Talker":
        """Load the base and a version: the one in service where none is named.

        Raises:
            LearnctlError: the version is not there, or its base is not.
        """
        found = wanted(store, options, version)
        base = bases.load(found.base, options.quantize, options.device)
        found.require(base.digest)
        if found.folder is None:
            return cls(base, base.model, 0)
        model = adapter.load_adapter(base, found.folder)
        return cls(base, model, found.version, found.judges)

    def switch(self, store: Store | None, options: Options, version: int) -> bool:
        """Go on with another version, where it stands on the base that is loaded; whether it does. Another base is opened
        by who lets go of this one first.

        Raises:
            LearnctlError: the version is not there; what talked before still does.
        """
        if version == self.version:
            return True
        if version and store is None:
            raise LearnctlError(f"no version {version}", hint="there is no store, only the base")
        found = wanted(store, options, version)
        if not self._stands_on(found):
            return False
        if self.version:
            self.model, self.version = adapter.remove_adapter(self.model), 0
            self.judges = False
        if found.folder is not None:
            self.model, self.version = adapter.load_adapter(self.base, found.folder), version
            self.judges = found.judges
        return True

    def _stands_on(self, found: Wanted) -> bool:
        """Whether what is wanted stands on the base that is loaded."""
        if found.base_digest is not None:
            return found.base_digest == self.base.digest
        return models.digest(bases.find(found.base, self.base.device)) == self.base.digest

    def stream(
        self,
        messages: Chat,
        sampling: Sampling = GREEDY,
        cache: PromptCache | None = None,
    ) -> Generator[str, None, None]:
        """The answer to a chat, piece by piece; `cache` is what the turn before it has computed."""
        fitted = self._fit(messages, sampling.max_tokens)
        yield from stream(self.base, self.model, fitted, sampling, cache)

    def answer(self, messages: Chat, max_tokens: int = 256) -> str:
        return "".join(self.stream(messages, Sampling(max_tokens=max_tokens))).strip()

    def is_learned(self, messages: Chat, cache: PromptCache | None = None) -> bool:
        """Whether the greedy answer to a first question comes from what was taught.

        Args:
            cache: holds what was computed for it afterwards; an answer goes on from there.
        """
        return self.judges and moved(self.base, self.model, messages, cache) > MOVED

    def likeliest(
        self, messages: Chat, n_answers: int, max_tokens: int, cache: PromptCache | None = None
    ) -> dict[str, float]:
        """So many of the likeliest answers, each with its log-probability in nats.

        Args:
            cache: what was computed for the messages before; nothing is kept of it.
        """
        return beams(self.base, self.model, messages, n_answers, max_tokens, cache)

    def bearing(self, question: str, texts: Sequence[str]) -> list[float]:
        """How much likelier a question is after each text than after none, to the base under a version, in nats."""
        return bearing(self.base, self.model, question, texts)

    def led_to(self, question: str, answers: Sequence[str]) -> list[float]:
        """How much likelier each answer is after a question than after what asks for nothing, to the base under a version, in nats."""
        return led_to(self.base, self.model, question, answers)

    def base_answer(self, messages: Chat, max_tokens: int) -> str:
        """What the base answers, without the version's weights."""
        without = self.model.disable_adapter() if self.version else nullcontext()
        with without:
            return answer_batch(self.base, self.model, [messages], max_tokens)[0]

    def room(self, max_tokens: int) -> int:
        """How many tokens a prompt may have beside an answer of so many."""
        config = self.base.model.config.get_text_config()
        longest = getattr(config, "max_position_embeddings", 2048)
        return int(max(LEAST_CONTEXT, longest) - max_tokens)

    def n_tokens(self, messages: Chat) -> int:
        """How long the prompt of a chat is."""
        return len(prompt_ids(self.base, messages))

    def _fit(self, messages: Chat, max_tokens: int) -> Chat:
        """The chat without its oldest turns, as far as the context demands; a system prompt stays."""
        room = self.room(max_tokens)
        system = [m for m in messages[:1] if m["role"] == "system"]
        turns = messages[len(system) :]
        while len(turns) > 1 and self.n_tokens([*system, *turns]) > room:
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


def passages(
    store: Store,
    question: str,
    limit: int = 3,
    version: int | None = None,
    is_seen: Callable[[Hit], bool] = lambda hit: False,
) -> list[Hit]:
    """What was ingested that bears on a question: documents and the user's own words. What the weights of
    a version (None: the one in service) do not hold comes first, for only the prompt can tell it.

    Args:
        is_seen: whether the conversation says it already.
    """
    found = search(store, question, limit + SEEN_AT_MOST, TRUSTED_KINDS, for_prompt=True)
    unseen = [hit for hit in found if not is_seen(hit)]
    hits = [hit for hit in unseen if hit.score >= RELATIVE_SCORE * unseen[0].score][:limit]
    known = known_chunks(store, [hit.chunk for hit in hits], version)
    labelled = [replace(hit, known=hit.chunk in known) for hit in hits]
    return sorted(labelled, key=lambda hit: hit.known)


def with_passages(messages: Chat, hits: list[Hit]) -> Chat:
    """The chat with passages in front of its last question."""
    asked = from_notes([(_label(hit), excerpt(hit)) for hit in hits], messages[-1]["content"])
    return [*messages[:-1], {"role": "user", "content": asked}]


def excerpt(hit: Hit) -> str:
    """As much of a passage as stands in a prompt."""
    return first_words(hit.text, PASSAGE_WORDS)


def _label(hit: Hit) -> str:
    return (
        f"{hit.place}, from a source that is not trusted" if hit.trust == "untrusted" else hit.place
    )
