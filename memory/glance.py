"""Quick looks at a text, for a tenth of what a pattern costs: most texts hold nothing that a pattern is for.

They look at bytes, which is one pass in C. Of letters beyond ASCII, each byte counts as a letter that is in
no list and ends no word.
"""

from collections.abc import Callable

_BYTES = range(256)
_SHAPE = bytes(n if n < 128 and chr(n).isspace() else ord("x") for n in _BYTES)


def finder(wanted: str) -> Callable[[str], bytes]:
    """What finds those of some ASCII characters that are in a text: all of them, in order, and nothing else."""
    others = bytes(set(_BYTES) - set(wanted.encode()))

    def find(text: str) -> bytes:
        return _bytes(text).translate(None, others)

    return find


def spacer(kept: str = "") -> Callable[[str], bytes]:
    """What puts a space in the place of each character of a text in ASCII that is no letter and not `kept`."""
    spaced = bytes(n if chr(n).isalpha() or chr(n) in kept else ord(" ") for n in range(128))
    spaced += bytes(_BYTES[128:])

    def space(text: str) -> bytes:
        return _bytes(text).translate(spaced)

    return space


def may_have_word(text: str, n_characters: int) -> bool:
    """Whether there may be so long a stretch without spaces; False is certain."""
    return b"x" * n_characters in _bytes(text).translate(_SHAPE)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
