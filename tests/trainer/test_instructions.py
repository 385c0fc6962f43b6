"""Instructions whose keeping a program can see."""

from typing import Any

import pytest

from learnctl.trainer.instructions import CHECKS, kept

LEAST_3: dict[str, Any] = {"relation": "at least", "num_words": 3}


@pytest.mark.parametrize(
    ("name", "given", "good", "bad"),
    [
        ("punctuation:no_comma", {}, "One and two.", "One, two."),
        ("length_constraints:number_words", LEAST_3, "One two three.", "One two."),
        ("length_constraints:number_words", LEAST_3 | {"relation": "less than"}, "One.", "A b c d"),
        (
            "length_constraints:number_sentences",
            {"relation": "at least", "num_sentences": 2},
            "Mr. Ames came. He left.",
            "Mr. Ames came.",
        ),
        ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "A\n***\nB", "A\n\nB"),
        ("keywords:existence", {"keywords": ["barn", "key"]}, "The barn key.", "The barnkey."),
        ("keywords:forbidden_words", {"forbidden_words": ["barn"]}, "The barns.", "A Barn."),
        (
            "keywords:frequency",
            {"keyword": "key", "relation": "at least", "frequency": 2},
            "Key to key.",
            "A key and keys.",
        ),
        (
            "keywords:letter_frequency",
            {"letter": "z", "let_relation": "less than", "let_frequency": 2},
            "A zoo.",
            "Zigzag.",
        ),
        (
            "detectable_format:number_highlighted_sections",
            {"num_highlights": 2},
            "*one* and **two**",
            "*one* and two",
        ),
        ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n**b**"),
        ("detectable_format:title", {}, "<<The barn>>\nIt is red.", "The barn"),
        ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{a: 1}"),
        (
            "detectable_content:number_placeholders",
            {"num_placeholders": 2},
            "Dear [name] of [town]",
            "Dear [name]",
        ),
        ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye. P.S. Key.", "Bye."),
        ("startend:quotation", {}, '"All of it."', '"Some" of it.'),
        ("startend:end_checker", {"end_phrase": "The end."}, "So. The end.", "The end. So."),
        ("change_case:english_lowercase", {}, "all small", "All small"),
        ("change_case:english_capital", {}, "ALL LARGE", "ALL Large"),
        (
            "change_case:capital_word_frequency",
            {"capital_relation": "at least", "capital_frequency": 2},
            "The NEW BARN",
            "The NEW barn",
        ),
    ],
)
def test_each_check(name: str, given: dict[str, Any], good: str, bad: str) -> None:
    assert kept(good, [name], [given]) is True
    assert kept(bad, [name], [given]) is False
    assert kept("  ", [name], [given]) is False


def test_all_of_some_must_be_kept() -> None:
    names = ["punctuation:no_comma", "change_case:english_lowercase"]
    assert kept("all small", names, [{}, {}]) is True
    assert kept("all, small", names, [{}, {}]) is False


def test_what_cannot_be_checked_is_not_said_to_be_kept() -> None:
    assert kept("ja", ["language:response_language"], [{"language": "de"}]) is None
    assert kept("x", [], []) is None
    with pytest.raises(KeyError):
        kept("x", ["keywords:existence"], [{}])
    assert len(CHECKS) >= 10


def test_json_that_is_too_deep_is_none() -> None:
    assert kept("[" * 100_000, ["detectable_format:json_format"], [{}]) is False
