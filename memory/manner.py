"""As what a source is taken in: whom it is trusted as, and what it may teach.

What is said of a watched folder holds for the files that appear in it later.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .learning import set_learn
from .store import Store
from .trust import set_trust


@dataclass(frozen=True)
class Manner:
    """What was said of it; None is what is known already, or the default of a new source."""

    trust: str | None = None
    learn: str | None = None

    def give(self, store: Store, source_id: int) -> None:
        """Let a source be taken in so from now on."""
        if self.trust:
            set_trust(store, [source_id], self.trust)
        if self.learn:
            set_learn(store, [source_id], self.learn)

    def or_else(self, other: "Manner") -> "Manner":
        """The other one where nothing was said."""
        return Manner(self.trust or other.trust, self.learn or other.learn)


def keep_for_watched(store: Store, paths: Iterable[Path], manner: Manner) -> None:
    """Keep what is said of those paths that are watched folders."""
    if manner == Manner():
        return
    with store.db.atomic():
        for path in paths:
            store.db.execute(
                "UPDATE watched SET trust = coalesce(?, trust), learn = coalesce(?, learn)"
                " WHERE path = ?",
                [manner.trust, manner.learn, os.path.abspath(path.expanduser())],
            )


def kept_for_watched(store: Store, path: Path) -> Manner:
    """As what a new file is taken in: the innermost watched folder of which something was said decides."""
    manner = Manner()
    rows = store.rows("SELECT path, trust, learn FROM watched ORDER BY length(path) DESC")
    for row in rows:
        if path.is_relative_to(row["path"]):
            manner = manner.or_else(Manner(row["trust"], row["learn"]))
    return manner
