"""What `ask`, `chat` and `compare` share: a model that is ready, and a conversation with it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import Context

from .context import find_home, load_options, open_store
from .output import console, counted, say_dimly

if TYPE_CHECKING:
    from ..memory.search import Hit
    from ..memory.store import Store
    from ..trainer.sampling import Sampling
    from ..trainer.session import ChatSession
    from ..trainer.talk import Talker


@contextmanager
def talking(
    ctx: Context,
    version: int | None,
    *,
    system: str | None = None,
    retrieval: bool = True,
    sampling: "Sampling",
    is_kept: bool = False,
    is_warm: bool = False,
) -> "Iterator[ChatSession]":
    """A conversation with a version, the store open as long as it lasts; `is_warm` lets the daemon answer
    where one is at work."""
    from ..trainer.session import ChatSession

    with ExitStack() as stack:
        store = store_to_talk_with(ctx, version)
        if store is not None:
            stack.enter_context(store)
        load = partial(load_talker, ctx, store)
        yield ChatSession(
            (is_warm and warm_talker(ctx, version)) or load(version),
            store,
            load_options(ctx),
            sampling=sampling,
            retrieval=retrieval,
            system=system,
            is_kept=is_kept,
            follows=version is None,
            load=load,
            on_fold=lambda n: say_dimly(
                f"(the first {counted(n, 'turn')} stand in short from now)"
            ),
        )


def store_to_talk_with(ctx: Context, version: int | None) -> "Store | None":
    """The store; only the untouched base can be talked to without one."""
    if version == 0 and not find_home(ctx).database.exists():
        return None
    return open_store(ctx)


def load_talker(ctx: Context, store: "Store | None", version: int | None) -> "Talker":
    options = load_options(ctx)
    with waiting("loading the model"):
        from ..trainer.backend import open_talker

        return open_talker(store, options, version)


def warm_talker(ctx: Context, version: int | None) -> "Talker | None":
    """The daemon's, where one is at work and can load this version."""
    from ..trainer import warm

    with waiting("loading the model"):
        return warm.find(find_home(ctx), version)


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


def say_sources(session: "ChatSession") -> None:
    """What the last answer draws on: what was learned, and passages, each place once."""
    parts = [f"learned by {version_name(session.version)}"] if session.is_learned else []
    if session.hits:
        places = dict.fromkeys(place_of(hit) for hit in session.hits)
        parts.append(f"sources: {'; '.join(places)}")
    if parts:
        say_dimly("; ".join(parts))


def sources_json(hits: "Iterable[Hit]") -> list[dict[str, Any]]:
    return [
        {"source": hit.source, "title": hit.title, "chunk": hit.chunk, "known": hit.known}
        for hit in hits
    ]


def place_of(hit: "Hit") -> str:
    """Where a passage stands, and whether the weights hold it too."""
    held = "known" if hit.known else "looked up"
    return f"{hit.place} ({Path(hit.source).name}, {held})"
