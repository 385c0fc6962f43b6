"""What `ask`, `chat` and `compare` share: a model that is ready, and a conversation with it."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import Context

from .context import find_home, load_options, open_store
from .output import console, plain

if TYPE_CHECKING:
    from ..memory.search import Hit
    from ..memory.store import Store
    from ..trainer.talk import Talker


@dataclass
class Talk:
    """A conversation: every turn so far, and the passages that the last answer was given.

    `store` is None where the untouched base is talked to and there is no store.
    """

    talker: "Talker"
    store: "Store | None"
    retrieval: bool
    max_tokens: int
    messages: list[dict[str, str]] = field(default_factory=list)
    hits: "list[Hit]" = field(default_factory=list)

    def stream(self, question: str) -> Generator[str, None, None]:
        """The answer piece by piece. What came before an interruption stays in the conversation."""
        from ..trainer import talk

        self.hits = []
        if self.store and self.retrieval:
            self.hits = talk.passages(self.store, question, version=self.talker.version)
        self.messages.append({"role": "user", "content": question})
        answer = ""
        try:
            shown = talk.with_passages(self.messages, self.hits) if self.hits else self.messages
            for piece in self.talker.stream(shown, self.max_tokens):
                answer += piece
                yield plain(piece)
        finally:
            if answer:
                self.messages.append({"role": "assistant", "content": answer})
            else:
                self.messages.pop()


@contextmanager
def talking(
    ctx: Context,
    version: int | None,
    *,
    system: str | None = None,
    retrieval: bool = True,
    max_tokens: int = 256,
) -> Iterator[Talk]:
    """A conversation with a version, the store open as long as it lasts."""
    with ExitStack() as stack:
        store = store_to_talk_with(ctx, version)
        if store is not None:
            stack.enter_context(store)
        talk = Talk(load_talker(ctx, store, version), store, retrieval, max_tokens)
        if system:
            talk.messages.append({"role": "system", "content": system})
        yield talk


def store_to_talk_with(ctx: Context, version: int | None) -> "Store | None":
    """The store; only the untouched base can be talked to without one."""
    if version == 0 and not find_home(ctx).database.exists():
        return None
    return open_store(ctx)


def load_talker(ctx: Context, store: "Store | None", version: int | None) -> "Talker":
    options = load_options(ctx)
    with waiting("loading the model"):
        from ..trainer.talk import Talker

        return Talker.open(store, options, version)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A sign of life on a terminal, nothing elsewhere."""
    watching = console(stderr=True)
    if not watching.is_terminal:
        yield
        return
    with watching.status(text):
        yield


def version_name(version: int) -> str:
    return f"version {version}" if version else "base"


def title_of(text: str) -> str:
    """What a logged conversation is called: the first line that was said, not too long."""
    line = text.strip().splitlines()[0]
    return line if len(line) <= 60 else f"{line[:59]}…"


def sources_line(hits: "list[Hit]") -> str:
    """Where an answer's passages come from, each place once, and whether the weights hold them too."""
    return f"sources: {'; '.join(dict.fromkeys(_place(hit) for hit in hits))}"


def sources_json(hits: "list[Hit]") -> list[dict[str, Any]]:
    return [{"source": hit.source, "title": hit.title, "chunk": hit.chunk} for hit in hits]


def heading_of(hit: "Hit") -> str:
    """`title › heading`; the heading alone where it begins with the title anyway."""
    if hit.heading.split(" › ")[0] == hit.title:
        return hit.heading
    return " › ".join(part for part in (hit.title, hit.heading) if part)


def _place(hit: "Hit") -> str:
    held = "known" if hit.known else "looked up"
    return f"{heading_of(hit)} ({Path(hit.source).name}, {held})"
