"""Sentences end where a reader would end them."""

import time

import pytest

from learnctl.memory.sentences import sentences


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Brown met Dr. Lee on St. Mark's Square.",
        "Bring fruit, e.g. apples, i.e. something sweet.",
        "He lives at No. 10 Downing Street.",
        "J. R. R. Tolkien wrote it.",
        "Pi is 3.14 and e is 2.72.",
        "The train leaves at 9 a.m. Monday from platform 4.",
        "The flat was bought on Jan. 5 and sold on Dec. 3, 2021.",
        "The U.S. Senate met.",
        "Samuel L. Jackson played the part.",
        "“Why now?” he asked.",
        "See Fig. 3 and pp. 4-9 of Vol. 2.",
        "Visit www.example.org for version 2.0.1 today.",
        "Acme Inc. CEO Jane Doe resigned.",
        "Wait... what did he say?",
        "Wir nehmen z. B. Brot mit.",
        "Das gilt d. h. Montag und i. d. R. Dienstag.",
        "Wir sahen (u. a. Köln) auch Bonn.",
        "Это, т. е. Москва, далеко, в т. ч. Зимой.",
        "Hay fruta, p. ej. Manzanas.",
        "Il est venu le 3 janv. Paul aussi, et le 5 févr. 2024 Anne.",
        "We saw, e. g. Paris and i. e. London.",
    ],
)
def test_stays_one_sentence(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("Is it? Yes! Good.", ["Is it?", "Yes!", "Good."]),
        ("He said no. Five left.", ["He said no.", "Five left."]),
        ("We met at 9 a.m. Then we left.", ["We met at 9 a.m.", "Then we left."]),
        ("She works at Acme Inc. The pay is good.", ["She works at Acme Inc.", "The pay is good."]),
        ("He said “stop.” Nobody did.", ["He said “stop.”", "Nobody did."]),
        ("Apples, pears, etc. Plums too.", ["Apples, pears, etc.", "Plums too."]),
        ("It fell.[11] Bob left.", ["It fell.[11]", "Bob left."]),
        ("We sat. Bob stood.", ["We sat.", "Bob stood."]),
        ("So do I. The rest do not.", ["So do I.", "The rest do not."]),
        ("Brot, z. B. Roggen. Und Salz.", ["Brot, z. B. Roggen.", "Und Salz."]),
        ("Хлеб и т. д. Потом соль.", ["Хлеб и т. д.", "Потом соль."]),
        ("We met at 9 a. m. Then we left.", ["We met at 9 a. m.", "Then we left."]),
        ("ما اسمك؟ أنا سامي.", ["ما اسمك؟", "أنا سامي."]),
        ("今日は晴れ。明日は雨。", ["今日は晴れ。", "明日は雨。"]),
    ],
)
def test_ends_between(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_lines_and_list_items_are_their_own() -> None:
    text = "Shopping\n- Milk\n- Two eggs. Brown ones\n1. Go\n2) Come\n\n---\n"
    assert sentences(text) == ["Shopping", "Milk", "Two eggs.", "Brown ones", "Go", "Come"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24. Dezember war kalt.", ["24. Dezember war kalt."]),
        ("1. Mai ist frei.", ["1. Mai ist frei."]),
        ("5. Klasse besuchte er.", ["5. Klasse besuchte er."]),
        ("1984. Ein Jahr.", ["1984. Ein Jahr."]),
        ("7. Milk\n8. Eggs", ["Milk", "Eggs"]),
        ("1. Milk", ["Milk"]),
        ("7) Milk", ["Milk"]),
    ],
)
def test_a_number_that_counts_nothing_stays(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_each_is_a_stretch_of_the_text() -> None:
    text = "  First  one here.   Second (with Dr. Who).\nThird\t one "
    for sentence in sentences(text):
        assert sentence in text


def test_nothing_in_nothing() -> None:
    assert sentences("") == []
    assert sentences(" \n\n . \n") == []


def test_long_lines_take_linear_time() -> None:
    began = time.perf_counter()
    sentences("." * 200_000)
    sentences("a. " * 100_000)
    sentences("A.B." * 50_000 + " x")
    sentences(" " * 200_000)
    sentences("Dr. X " * 400_000)
    assert time.perf_counter() - began < 5
