"""Instructions whose keeping a program can see, as IFEval has them: https://arxiv.org/abs/2311.07911.

Each check is given the answer and the arguments of the instruction by their names in the published set. Those that need
a language model, or a library to tell languages apart, are not here; who has such an instruction is left out.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..memory.sentences import sentences

Check = Callable[[str, Mapping[str, Any]], bool]


def kept(answer: str, names: Sequence[str], arguments: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether an answer keeps every one of some instructions; None where one of them has no check here.

    Raises:
        KeyError, TypeError, ValueError: an argument is missing, or not of its kind.
    """
    if not names or not all(name in CHECKS for name in names):
        return None
    return bool(answer.strip()) and all(
        CHECKS[name](answer.strip(), given) for name, given in zip(names, arguments, strict=True)
    )


def _so_many(found: int, relation: object, wanted: object) -> bool:
    """`at least` and `less than` are the relations of the set."""
    return found < int(str(wanted)) if relation == "less than" else found >= int(str(wanted))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _times(text: str, word: object) -> int:
    return len(re.findall(rf"\b{re.escape(str(word).lower())}\b", text.lower()))


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\s*\*\*\*\s*", text) if part.strip()]


def _is_json(text: str) -> bool:
    inside = text.removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        json.loads(inside)
    except (ValueError, RecursionError):
        return False
    return True


def _highlights(text: str) -> int:
    return sum(bool(part.strip("* ")) for part in re.findall(r"\*\*[^\n*]+\*\*|\*[^\n*]+\*", text))


def _capitals(text: str) -> int:
    return sum(word.isupper() for word in _words(text))


CHECKS: dict[str, Check] = {
    "punctuation:no_comma": lambda a, _: "," not in a,
    "length_constraints:number_words": lambda a, given: _so_many(
        len(_words(a)), given["relation"], given["num_words"]
    ),
    "length_constraints:number_sentences": lambda a, given: _so_many(
        len(sentences(a)), given["relation"], given["num_sentences"]
    ),
    "length_constraints:number_paragraphs": lambda a, given: (
        len(_paragraphs(a)) == int(given["num_paragraphs"])
    ),
    "keywords:existence": lambda a, given: all(_times(a, word) for word in given["keywords"]),
    "keywords:forbidden_words": lambda a, given: (
        not any(_times(a, word) for word in given["forbidden_words"])
    ),
    "keywords:frequency": lambda a, given: _so_many(
        _times(a, given["keyword"]), given["relation"], given["frequency"]
    ),
    "keywords:letter_frequency": lambda a, given: _so_many(
        a.lower().count(str(given["letter"]).lower()),
        given["let_relation"],
        given["let_frequency"],
    ),
    "detectable_format:number_highlighted_sections": lambda a, given: (
        _highlights(a) >= int(given["num_highlights"])
    ),
    "detectable_format:number_bullet_lists": lambda a, given: (
        len(re.findall(r"(?m)^\s*(?:[-+]|\*(?!\*))\s+\S", a)) == int(given["num_bullets"])
    ),
    "detectable_format:title": lambda a, _: bool(re.search(r"<<[^\n<>]*\w[^\n<>]*>>", a)),
    "detectable_format:json_format": lambda a, _: _is_json(a),
    "detectable_content:number_placeholders": lambda a, given: (
        len(re.findall(r"\[[^\[\]\n]+\]", a)) >= int(given["num_placeholders"])
    ),
    "detectable_content:postscript": lambda a, given: (
        str(given["postscript_marker"]).lower() in a.lower()
    ),
    "startend:quotation": lambda a, _: len(a) > 1 and a[0] == a[-1] == '"',
    "startend:end_checker": lambda a, given: (
        a.strip('" ').lower().endswith(str(given["end_phrase"]).strip().lower())
    ),
    "change_case:english_lowercase": lambda a, _: a.islower(),
    "change_case:english_capital": lambda a, _: a.isupper(),
    "change_case:capital_word_frequency": lambda a, given: _so_many(
        _capitals(a), given["capital_relation"], given["capital_frequency"]
    ),
}
