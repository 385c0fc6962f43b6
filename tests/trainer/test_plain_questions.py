"""Questions by the build of a sentence alone."""

import pytest

from learnctl.trainer.facts import find_facts
from learnctl.trainer.plain_questions import plain_questions


@pytest.mark.parametrize(
    ("sentence", "questions"),
    [
        (
            "Berta Quell repaired the church clock in May.",
            ["Who repaired the church clock in May?"],
        ),
        ("Dr. Ilse Brandt took out two of my teeth.", ["Who took out two of my teeth?"]),
        (
            "Last year Tomas Abel won the race on the lake.",
            ["Who won the race on the lake last year?"],
        ),
        ("Ada Finch is the cook, and she hates onions.", ["Who is the cook?"]),
        ("The barn was built in 1911 and is painted red.", ["What was built in 1911?"]),
        ("The freshly baked bread is sold at seven.", ["What is sold at seven?"]),
        ("My sister was born in May 1980.", ["Who was born in May 1980?"]),
        (
            "Our landlord is Piet Moor, a retired diver.",
            ["Who is our landlord?", "Who is Piet Moor?"],
        ),
        ("Our nanny is Olga.", ["Who is our nanny?"]),
        ("The boat is called the Little Heron.", ["What is the boat called?"]),
        ("The plumber, Mr. Oskar Lund, comes on Friday.", ["Who is the plumber?"]),
        (
            "Ada Finch moved to St. Ives at 10:30 in May.",
            ["Who moved to St. Ives at 10:30 in May?"],
        ),
        ("Our destination is Paris.", ["What is our destination?"]),
        (
            "Mrs. Abel has a goat named Rosalind.",
            [
                "Who has a goat named Rosalind?",
                "What is Mrs. Abel's goat called?",
                "What is the name of Mrs. Abel's goat?",
            ],
        ),
        (
            "My sister Hanne works in a harbour pub called Zur Boje.",
            [
                "What is my sister called?",
                "What is the harbour pub called?",
                "What is the name of the harbour pub?",
            ],
        ),
    ],
)
def test_what_a_sentence_begins_with_is_and_is_called_can_be_asked(
    sentence: str, questions: list[str]
) -> None:
    assert plain_questions(sentence) == questions


@pytest.mark.parametrize(
    "sentence",
    [
        "I started at the mill on 9 January.",
        "Berta Quell repairs clocks.",  # not a verb that is known
        "Ada Finch was late, and we began without her.",  # too little is left to ask
        "We bake 140 loaves of rye on a normal weekday.",
        "When we are away, she stays with old Mrs. Peregrine at the weir.",
        "Unser Hund heißt Balduin und ist drei Jahre alt.",
        "In the shed behind the house, tools hang on the wall.",
        "Breakfast is served from seven in the morning.",  # a capital is no name
        "Although Anna Lund was late for the train, she got a seat.",
        "I’ve had the flu for two weeks.",
        "I had a dog called Rex when I was ten.",
        "Yesterday my sister called Anna about the party.",  # by telephone
        "I told my sister I would come on Friday.",
        "I sold my old Volvo in May.",
        "Anna met her brother Tom.",
        "The watering can stands by the door.",
        "The number was drawn.",
        "The firm has hired a cook, a Breton, for the summer.",  # nobody asks what has hired somebody
        "Our choir sings three carols in the square.",
    ],
)
def test_nothing_is_asked_where_there_is_doubt(sentence: str) -> None:
    assert plain_questions(sentence) == []


def test_a_setting_holds_no_part_of_the_subject() -> None:
    known = {"Kestrel", "Abel", "Tomas"}
    of_a_thing = "At the end of May the tug Kestrel was sold to a dealer in scrap."
    assert plain_questions(of_a_thing, known) == []
    before_two_names = "In the spring Tomas Abel won the race on the lake."
    assert plain_questions(before_two_names, known) == [
        "Who won the race on the lake in the spring?"
    ]
    after_a_preposition = "On the morning after the storm Tomas was back on the quay."
    assert plain_questions(after_a_preposition, known) == [
        "Who was back on the quay on the morning after the storm?"
    ]
    before_a_comma = "In the port of Lund, Tomas Abel sold three of his boats."
    assert plain_questions(before_a_comma, known) == [
        "Who sold three of his boats in the port of Lund?"
    ]


def test_one_word_is_somebody_only_where_it_is_known_for_a_name() -> None:
    sentence = "Wenzel broke his collarbone in the tunnel."
    assert plain_questions(sentence) == []
    assert plain_questions(sentence, {"Wenzel"}) == ["Who broke his collarbone in the tunnel?"]


def test_a_clause_ends_before_the_next_subject_but_not_after_a_title() -> None:
    assert plain_questions("Nils Aker sold the van to Mrs. Quist, who paints it green.") == [
        "Who sold the van to Mrs. Quist?"
    ]


def test_a_sentence_without_a_name_or_number_still_has_something_to_ask() -> None:
    fact = find_facts("The saddle is too hard, so I ordered one made of cork.")[0]
    assert [span.text for span in fact.spans] == ["cork"]
