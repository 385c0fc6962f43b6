"""Combining marks: accents that stand apart from their letters, and the vowel signs of India and Thailand, which `\\w` leaves out."""

import re
import unicodedata
from functools import cache

# More in a row than any script has: to bring very many into their order takes for ever, so as in Stream-Safe Text Format
# (https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format) some are kept.
MOST_MARKS = 30


@cache
def marks_of_letters() -> str:
    """Every mark of the basic plane, for a class of characters: with others, a class is gone through one by one."""
    codes = (code for code in range(0x10000) if unicodedata.category(chr(code))[0] == "M")
    return "".join(f"\\u{code:04x}" for code in codes)


@cache
def _marked_words() -> re.Pattern[str]:
    return re.compile(f"[\\w{marks_of_letters()}]+")


@cache
def _too_many() -> re.Pattern[str]:
    return re.compile(f"[{marks_of_letters()}]{{{MOST_MARKS + 1},}}")


def words_with_marks(text: str) -> list[str]:
    """The words of a text in any script."""
    return re.findall(r"\w+", text) if text.isascii() else _marked_words().findall(text)


def composed(text: str) -> str:
    """Each letter with its marks as one character where there is one: a pattern of letters ends between them."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _too_many().sub(lambda run: run[0][:MOST_MARKS], text))
