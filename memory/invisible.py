"""Characters that nobody sees: taken out of a text, and a mark left where they may have hidden something.

What a script or a sign needs stays: joiners in emoji and between letters other than Latin ones, tags in
flags. A mark stands in front of a word that was split by such characters or carries some that are used
to hide text, until the passage that holds it is made (`suspicion`).
"""

import re

MARK = "\u2063"
# A hidden word or two (a date to sort by, a label for machines) give no orders.
FEWEST_HIDDEN_WORDS = 4

_UNSEEN = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u206a-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_TAGS = "[\U000e0020-\U000e007e]"
_NEEDED = re.compile(
    # a flag of a part of a country; joined emoji, and letters of scripts that join
    f"\U0001f3f4{_TAGS}{{1,10}}\U000e007f"
    "|(?<=[\u0600-\u1fff\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]"
    "(?=[\u0600-\u1fff\u2600-\u27bf\u2640-\u2642\U0001f000-\U0001faff])"
)
# Letters split within a word, text in tags, the other direction, many in a row.
_HIDING = re.compile(
    "[A-Za-z\u00c0-\u052f][\u180e\u200b-\u200d\u2060-\u2064\ufeff]+[A-Za-z\u00c0-\u052f]"
    "|[\U000e0000-\U000e007f\u202d\u202e\ufff9-\ufffb\u2063]"
    "|[\u180e\u200b-\u200d\u2060-\u2064\ufeff]{4}"
)


def without_unseen(text: str) -> tuple[str, int]:
    """`text` as it looks, with marks, and how many characters were taken out of it.

    Soft hyphens and marks of direction are everywhere and are not counted.
    """
    if text.isascii() or not _UNSEEN.search(text):
        return text, 0
    n_removed = 0
    parts = re.split(r"(\s+)", text)
    for place, word in enumerate(parts):
        if not _UNSEEN.search(word):
            continue
        seen = "".join(
            piece if place % 2 else _UNSEEN.sub("", piece)
            for place, piece in enumerate(re.split(f"({_NEEDED.pattern})", word))
        )
        n_removed += sum(not _is_common(letter) for letter in _UNSEEN.findall(word))
        n_removed -= len(_UNSEEN.findall(seen))
        hiding = _HIDING.search(_NEEDED.sub("", word))
        parts[place] = MARK + seen if hiding else seen
    return "".join(parts), n_removed


def _is_common(letter: str) -> bool:
    return letter in "\u00ad\u061c\u200e\u200f\u2066\u2067\u2068\u2069"
