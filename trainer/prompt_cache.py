"""The attention of a conversation so far, kept between its turns, so that a turn computes only what is new."""

from typing import Any


class PromptCache:
    """What was computed for the last prompt and its answer: as far as the next prompt begins alike, it is
    taken over. It belongs to the weights it was computed with."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._cache: Any = None

    def take(self, model: Any, ids: list[int]) -> Any:
        """The cache to go on from with a prompt. It is the caller's until it is given back by `keep`."""
        from transformers import DynamicCache

        cache, held = self._cache, self._ids
        self.clear()
        # The last token of the prompt is always computed: what follows it is what is asked for.
        shared = min(_shared(held, ids), len(ids) - 1)
        if cache is not None and shared:
            try:
                if shared < len(held):
                    cache.crop(shared - len(held))
                return cache
            except RuntimeError:
                # A sliding window holds no more than it needs: it cannot go back.
                pass
        return DynamicCache(config=model.config)

    def keep(self, cache: Any, ids: list[int]) -> None:
        """Remember a cache with the tokens it was computed from; further ones were not computed yet."""
        self._cache, self._ids = cache, ids[: cache.get_seq_length()]

    def clear(self) -> None:
        self._cache, self._ids = None, []

    def __len__(self) -> int:
        """How many tokens are held."""
        return len(self._ids)


def _shared(one: list[int], other: list[int]) -> int:
    """How many tokens both begin with."""
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length
