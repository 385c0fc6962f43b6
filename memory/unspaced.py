"""Scripts that put no spaces between words: for the index, each run of letters becomes overlapping pairs.

"図書館は" is indexed as "図書 書館 館は": a word of two letters or more is found inside a sentence, with one
index for all languages and nothing to segment words with. One letter alone is found as a beginning.
"""

import re

# Thai, Lao, Burmese, Khmer; kana, Han, Hangul (which joins endings to words).
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_LETTERS}]+")
_WORD = re.compile(rf"[{_LETTERS}]{{1,2}}|[^\s{_LETTERS}]+")


def spaced(text: str) -> str:
    """`text` with each run of such letters as pairs between spaces; any other text as it is."""
    if text.isascii():
        return text
    return _RUN.sub(lambda run: f" {' '.join(pairs(run[0]))} ", text)


def pairs(run: str) -> list[str]:
    if len(run) < 2:
        return [run]
    return [run[start : start + 2] for start in range(len(run) - 1)]


def n_words(text: str) -> int:
    """How many words a text has; where they have no spaces between them, two letters are taken for one."""
    if text.isascii():
        return len(text.split())
    runs = _RUN.findall(text)
    return len(_RUN.sub(" ", text).split()) + sum((len(run) + 1) // 2 for run in runs)


def first_words(text: str, n: int) -> str:
    """The beginning of a text, of so many words as `n_words` counts them."""
    return _cut(text, slice(None, n))


def last_words(text: str, n: int) -> str:
    """The end of a text, of so many words."""
    return _cut(text, slice(-n, None)) if n > 0 else ""


def _cut(text: str, part: slice) -> str:
    if not is_unspaced(text):
        return " ".join(text.split()[part])
    words = list(_WORD.finditer(text))[part]
    return " ".join(text[words[0].start() : words[-1].end()].split()) if words else ""


def is_unspaced(text: str) -> bool:
    """Whether any of it is in such a script."""
    return _RUN.search(text) is not None


def is_mostly_unspaced(text: str) -> bool:
    """Whether as many of its letters are in such a script as in others: one name in it makes no Chinese of English."""
    n_unspaced = sum(map(len, _RUN.findall(text)))
    return n_unspaced > 0 and 2 * n_unspaced >= sum(map(str.isalpha, text))
