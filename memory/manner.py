"""As what a source is taken in: whom it is trusted as, and what it may teach."""

from dataclasses import dataclass

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
