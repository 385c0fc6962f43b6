"""Questions with their passage in view, beside one that does not answer them, as chat shows what it looked up.

A model that is trained on questions alone may unlearn to look; one that is also trained to answer from what it is shown,
and to leave what does not bear on it, gains from retrieval what its weights do not hold
(https://arxiv.org/abs/2403.10131). A base that reads poorly learns to read so, too.
"""

from collections import defaultdict
from itertools import chain, zip_longest

from ..memory.search import TRUSTED_KINDS, place_of, search
from ..memory.store import Record, Store, batches, marks
from ..memory.unspaced import first_words
from .base import Base
from .chat_form import PASSAGE_WORDS, from_notes
from .facts import supported

# Of all rows of some passages, so many are open-book.
SHARE = 0.15
# With the passages; a row of a usual pack (`pack_tokens`) has room for it and for the form of the chat.
MOST_TOKENS = 400
ASKED = ("question", "pair", "reversed")
# Kinds that are not counted: in view already, trained only where somebody asks for them, or of no fact.
BESIDE = ("open", "complete", "blank", "contrast", "premise", "voice")
# So many hits are looked at for one that is another passage.
LOOKED_AT = 4


def open_book(
    store: Store, base: Base, chunks: list[Record]
) -> list[tuple[int, int | None, str, str]]:
    """For some questions of each chunk, evenly: its chunk, the other chunk in view, prompt, answer.

    They are taken from the samples of the chunks, so what is held out is not among them.
    """
    by_number = {chunk["id"]: chunk for chunk in chunks}
    made = [
        sample
        for some in batches(by_number)
        for sample in store.rows(
            "SELECT id, chunk_id, kind, prompt, answer FROM samples WHERE base_digest = ?"
            f" AND kind NOT IN ({marks(BESIDE)}) AND chunk_id IN ({marks(some)}) ORDER BY id",
            base.digest,
            *BESIDE,
            *some,
        )
    ]
    asked: dict[int, list[Record]] = defaultdict(list)
    for sample in made:
        if sample["kind"] in ASKED:
            asked[sample["chunk_id"]].append(sample)
    in_turns = [one for one in chain(*zip_longest(*asked.values())) if one]
    n_wanted = round(len(made) * SHARE / (1 - SHARE))
    found: list[tuple[int, int | None, str, str]] = []
    for sample in in_turns:
        if len(found) == n_wanted:
            break
        shown = _shown(store, base, by_number[sample["chunk_id"]], sample)
        if shown:
            other, prompt = shown
            found.append((sample["chunk_id"], other, prompt, sample["answer"]))
    return found


def _shown(
    store: Store, base: Base, chunk: Record, sample: Record
) -> tuple[int | None, str] | None:
    """The question under its passage and, where there is one and both fit, another; None where the
    passage does not fit, or the part that chat would show does not hold the answer."""
    place = place_of(chunk["title"], chunk["heading"])
    own = _part(chunk["text"], f"{place} {sample['prompt']}", sample["answer"])
    if own is None:
        return None
    notes = [(place, own)]
    for hit in search(store, sample["prompt"], LOOKED_AT, TRUSTED_KINDS, for_prompt=True):
        if hit.chunk != chunk["id"] and hit.trust != "untrusted":
            beside = (hit.place, first_words(hit.text, PASSAGE_WORDS))
            # Where it stands must not tell which of them answers.
            both = [*notes, beside] if sample["id"] % 2 else [beside, *notes]
            prompt = from_notes(both, sample["prompt"])
            if _fits(base, prompt, sample["answer"]):
                return hit.chunk, prompt
    prompt = from_notes(notes, sample["prompt"])
    return (None, prompt) if _fits(base, prompt, sample["answer"]) else None


def _part(text: str, beside: str, answer: str) -> str | None:
    """As much of a passage as chat shows, from its beginning or its end, that holds the answer, less what stands beside it."""
    words = text.split()
    parts = (" ".join(words[:PASSAGE_WORDS]), " ".join(words[-PASSAGE_WORDS:]))
    return next((part for part in parts if supported(answer, f"{part} {beside}")), None)


def _fits(base: Base, prompt: str, answer: str) -> bool:
    return len(base.tokenizer(f"{prompt}\n{answer}")["input_ids"]) <= MOST_TOKENS
