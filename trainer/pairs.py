"""What a base that reads well makes of a passage beyond single questions: rounds of pairs, and notes.

Three rounds of questions with answers: specific facts; the other way round; across two passages of one document;
the later ones with the earlier in view. Then notes: the passage in other words, in short, and put to use by
strategies that the model itself names (Active Reading, https://arxiv.org/abs/2508.09494). Every pair is
verified twice: its answer stands in the passage, and the base, asked again with the passage in view, gives it
again. A base that does not read well (`reading.py`) is not asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..memory.search import telling_words
from ..memory.store import Record
from .base import Base
from .chat_form import Chat
from .checked import Checked
from .facts import contains, inner_names, normalise, supported
from .generate import answer_batch
from .reading import in_view
from .study import dangles
from .wordings import ENGLISH, write_in

PAIRS_A_ROUND = 5
PAIR_TOKENS = 320
NOTE_TOKENS = 256
STRATEGIES = 2
# Of the telling words of a note, this share must stand in its passage, and every number.
NOTE_SUPPORT = 0.7

FORM = (
    "Write each as two lines, `Q:` and `A:`. Every question must be understood by somebody who has not"
    " seen the text: name who and what it is about. Answers are a few words of the text."
)
SPECIFIC = f"Write {PAIRS_A_ROUND} questions about specific facts in the text. {FORM}"
REVERSED = (
    f"Write {PAIRS_A_ROUND} more that go the other way round: name what was an answer before, and ask"
    f" for what it belongs to. Do not repeat a question. {FORM}"
)
ACROSS = f"Write {PAIRS_A_ROUND} new questions that need both texts to be answered. {FORM}"
# How each is asked for once it is learned, and what the base is told.
NOTES = {
    "Tell me in other words": "Write the text again in other words. Keep every name, number and date.",
    "Sum up": "Sum the text up in three sentences. Keep names, numbers and dates.",
}
ASK_STRATEGIES = (
    "What are some strategies specific to this text that help to remember all that it says?"
    " Begin each with ##."
)
STRATEGY = "Apply this strategy to the text, and write down the result: {strategy}"
_OPEN = re.compile(r"(?i)\b(?:the|this) (?:text|passage|note|author|document)\b|according to\b")
_PAIR = re.compile(r"Q\s*\d*\s*:\s*(?P<q>[^\n]+?\?)\s*\n+\s*A\s*\d*\s*:\s*(?P<a>[^\n]+)")


@dataclass(frozen=True)
class Made:
    """A sample in the making: which passage (by position), its kind, what is asked and answered; and the
    second passage, where it needs two."""

    passage: int
    kind: str
    prompt: str
    answer: str
    second: int | None = None


def write_pairs(base: Base, chunks: Sequence[Record], seed: int) -> tuple[list[Made], Checked]:
    """Verified pairs of three rounds for each passage, no question twice."""
    texts = [titled(chunk) for chunk in chunks]
    told = [write_in(chunk["language"]) for chunk in chunks]
    first = _ask(
        base,
        [[_user(f"{text}\n\n{SPECIFIC}{in_it}")] for text, in_it in zip(texts, told, strict=True)],
        PAIR_TOKENS,
        seed,
    )
    again: list[Chat] = [
        [_user(f"{text}\n\n{SPECIFIC}{in_it}"), _assistant(said), _user(f"{REVERSED}{in_it}")]
        for text, said, in_it in zip(texts, first, told, strict=True)
    ]
    second = _ask(base, again, PAIR_TOKENS, seed + 1)
    of_document = [chunk["document_id"] for chunk in chunks]
    neighbours = [
        (i, i + 1)
        for i in range(len(chunks) - 1)
        if of_document[i] is not None and of_document[i] == of_document[i + 1]
    ]
    asked = [
        [question for written in rounds for question, _ in parse_pairs(written)]
        for rounds in zip(first, second, strict=True)
    ]
    both: list[Chat] = [
        [
            _user(
                "\n\n".join(
                    [texts[i], texts[k], *_asked_already(asked[i] + asked[k]), ACROSS + told[i]]
                )
            )
        ]
        for i, k in neighbours
    ]
    third = _ask(base, both, PAIR_TOKENS, seed + 2)
    found: list[tuple[Made, str]] = []
    alone = [(i, None, texts[i]) for i in range(len(texts))]
    beside = [(i, k, f"{texts[i]}\n\n{texts[k]}") for i, k in neighbours]
    for kind, said, views in (
        ("pair", first, alone),
        ("reversed", second, alone),
        ("across", third, beside),
    ):
        for (place, other, view), written in zip(views, said, strict=True):
            found += [(Made(place, kind, q, a, other), view) for q, a in parse_pairs(written)]
    return _verified(base, found, [chunk["language"] for chunk in chunks])


def _asked_already(questions: Sequence[str]) -> list[str]:
    return ["\n".join(["Asked already:", *questions])] if questions else []


def parse_pairs(written: str) -> list[tuple[str, str]]:
    """Questions and answers out of what a model wrote."""
    pairs = [(m["q"].strip(), m["a"].strip()) for m in _PAIR.finditer(written)]
    return [(q, a) for q, a in pairs if normalise(a)]


def leans(question: str, language: str) -> bool:
    """Whether a question leans on "the text", or on who was named before it."""
    return bool(_OPEN.search(question)) or (language == ENGLISH and dangles(question))


def write_notes(base: Base, chunks: Sequence[Record], seed: int) -> tuple[list[Made], Checked]:
    """Rewrites, summaries and strategy-driven notes that stand in their passage."""
    texts = [titled(chunk) for chunk in chunks]
    asked = [(i, task, how) for i in range(len(texts)) for how, task in NOTES.items()]
    plans = _ask(base, [[_user(f"{t}\n\n{ASK_STRATEGIES}")] for t in texts], NOTE_TOKENS, seed)
    for i, plan in enumerate(plans):
        named = [line.lstrip("# ").strip() for line in plan.splitlines() if line.startswith("##")]
        asked += [
            (i, STRATEGY.format(strategy=name), f"By the strategy “{_short(name)}”, go through")
            for name in named[:STRATEGIES]
        ]
    chats: list[Chat] = [
        [_user(f"{texts[i]}\n\n{task}{write_in(chunks[i]['language'])}")] for i, task, _ in asked
    ]
    written = _ask(base, chats, NOTE_TOKENS, seed + 1)
    counts = Checked(written=len(written))
    made = []
    for (i, _, how), note in zip(asked, written, strict=True):
        if is_true_to(note, texts[i]):
            made.append(Made(i, "note", f"{how} what my notes say{_where(chunks[i])}.", note))
    counts.dropped = counts.written - len(made)
    return made, counts


def is_true_to(note: str, source: str) -> bool:
    """Most of a note's telling words stand in its source, and all of its numbers."""
    words, known = telling_words(note), set(telling_words(source))
    if len(words) < 4 or numbers(note) - numbers(source):
        return False
    return sum(word in known for word in words) >= NOTE_SUPPORT * len(words)


def numbers(text: str) -> set[str]:
    """The whole numbers of a text, so that `20` is none of `2017`; `1,500` is one, and `04` is `4`."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return {number.lstrip("0") for number in re.findall(r"\d+", text)}


def _verified(
    base: Base, found: list[tuple[Made, str]], languages: Sequence[str]
) -> tuple[list[Made], Checked]:
    counts = Checked(written=len(found))
    standing = {
        normalise(made.prompt): (made, view)
        for made, view in found
        if supported(made.answer, view)
        and not contains(made.prompt, made.answer)
        and not leans(made.prompt, languages[made.passage])
    }
    again = answer_batch(
        base,
        base.model,
        [[_user(in_view(view, made.prompt))] for made, view in standing.values()],
        40,
    )
    made = [
        one
        for (one, _), answer in zip(standing.values(), again, strict=True)
        if contains(answer, one.answer) or contains(one.answer, answer)
    ]
    counts.dropped = counts.written - len(made)
    return made, counts


def _ask(base: Base, chats: list[Chat], max_tokens: int, seed: int) -> list[str]:
    return answer_batch(base, base.model, chats, max_tokens, seed, temperature=0.7)


def titled(chunk: Record) -> str:
    """The passage under its title, heading, date and, of a mail, its writer: what a question needs to name."""
    above = " › ".join(part for part in (chunk["title"], chunk["heading"]) if part)
    day = f" ({chunk['date']})" if chunk["date"] else ""
    by = f", by {chunk['writer']}" if chunk["writer"] else ""
    return f"# {above}{day}{by}\n\n{chunk['text']}"


def _where(chunk: Record) -> str:
    """Where a passage stands, and two of its names or words, which tell it from others that stand there too."""
    above = " › ".join(part for part in (chunk["title"], chunk["heading"]) if part)
    words = sorted(inner_names(chunk["text"])) or sorted(
        set(telling_words(chunk["text"])), key=len, reverse=True
    )
    about = f" about {' and '.join(words[:2])}" if words else ""
    return f"{f' under “{above}”' if above else ''}{about}"


def _short(strategy: str) -> str:
    """The name of a strategy, without what is said of it."""
    return " ".join(re.split(r"[:.–—]", strategy)[0].strip("* ").split()[:8])


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
