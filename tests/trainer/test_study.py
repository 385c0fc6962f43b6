"""Questions about facts: which are asked, and which of those written are kept."""

from pathlib import Path
from typing import Any

import pytest

from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.checked import Checked
from learnctl.trainer.facts import Fact, Span, find_facts
from learnctl.trainer.study import dangles, is_good, leads, write_questions

STATEMENT = "The fence cost 640 euros and was painted by Hanna Brook."
PRICE = Span("number", "640 euros")
HANNA = Span("name", "Hanna Brook")
FACT = Fact(STATEMENT, STATEMENT, (PRICE, HANNA))
TWO_FACTS = "Harald Immer serviced the boiler on 4 March. The fence cost 640 euros in May."


@pytest.mark.parametrize(
    ("question", "span"),
    [
        ("How much did the fence cost?", PRICE),
        ("Who painted the fence?", HANNA),
        ("What is the name of the person who painted the fence?", HANNA),
        ("Who painted the fence in her name?", HANNA),
    ],
)
def test_good_questions(question: str, span: Span) -> None:
    """A whole question about the fact, which does not hold its answer, is kept."""
    assert is_good(question, span, FACT)


@pytest.mark.parametrize(
    ("question", "span", "why"),
    [
        ("How much did the fence cost", PRICE, "it is no question"),
        ("How much? How much did the fence cost?", PRICE, "it is two"),
        ("Who is Hanna Brook, who painted the fence?", HANNA, "it gives its answer away"),
        ("Who is it?", HANNA, "it is about nothing"),
        ("Who opened the bakery behind the fence?", HANNA, "it is about an example"),
        ("Who sold blue garden furniture beside the fence?", HANNA, "it holds too much else"),
        ("Who painted the fence for Rosalind?", HANNA, "it names someone else"),
        ("How much did the fence cost her?", PRICE, "it does not say whom"),
        ("How much did the fence cost the fence cost?", PRICE, "it stutters"),
        (f"How much did the fence cost {'or the fence ' * 9}?", PRICE, "it is too long"),
    ],
)
def test_questions_that_are_dropped(question: str, span: Span, why: str) -> None:
    """A question is dropped where a test on its words shows that something is wrong with it."""
    assert not is_good(question, span, FACT), why


@pytest.mark.parametrize(
    ("statement", "kind", "text", "first"),
    [
        ("The ferry leaves Orrest at 18:40.", "date", "18:40", "At what time"),
        ("Aurelie was born in 1938.", "date", "1938", "In which year"),
        ("The fair is on 12 September.", "date", "12 September", "When"),
        ("The fence cost 640 euros.", "number", "640 euros", "How much"),
        ("She keeps 32 hens.", "number", "32 hens", "How many hens"),
        ("The train leaves from platform 9.", "number", "9", "How many"),
        ("The boat lies at Tollgate Basin.", "name", "Tollgate Basin", "Where"),
        ("Harald Immer serviced the boiler.", "name", "Harald Immer", "Who"),
        ("The boat is called Grey Pintail.", "name", "Grey Pintail", "What is the name of"),
        ("The key hangs behind the green shutter.", "phrase", "green shutter", "What"),
    ],
)
def test_leads(statement: str, kind: str, text: str, first: str) -> None:
    """The likeliest beginning of a question fits what is asked for."""
    span = Span(kind, text)
    assert leads(span, Fact(statement, statement, (span,)))[0] == first


def test_a_name_before_it_says_who_she_is() -> None:
    assert dangles("What is the name of the weir that she lives at?")
    assert dangles("Which pet is her old pet?")
    assert not dangles("On what date does my sister-in-law blow out her candles?")
    assert not dangles("In which place did the dog pass her test?")
    assert not dangles("What did Hanna pay for her fence?")
    assert not dangles("Which costs do schools cover by their fees?")
    assert not dangles("Who paid for her own fence?")
    assert not dangles("Which other fence is there?")  # no word of a person


def test_only_good_questions_come_out(embedded_models: Path) -> None:
    """Of what a base model writes, what is kept passes every test, belongs to its fact, and there are
    no more of it than wanted."""
    facts = find_facts(TWO_FACTS)
    found, checked = write_questions(bases.load("embedded"), facts, 2, seed=0)
    assert 0 < len(found) <= checked.written - checked.dropped
    assert all(is_good(q.text, q.span, facts[q.fact]) for q in found)
    assert all(sum(q.fact == index for q in found) <= 2 for index in range(len(facts)))


def test_what_is_written_is_sifted_and_counted(
    llama: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two questions a fact are kept of those that are good, under the fact and the span that they ask for."""
    rests = {
        "When": " was the boiler serviced?",  # not of the fence
        "On what date": " was it?",
        "Who": " serviced the boiler?",
        "What is the name of": " the man who serviced the boiler?",  # a third
        "How much": " did the fence cost?\n\nSentence:",
        "What is the price of": " 640 euros?",
    }

    def write(base: Base, model: Any, prompts: list[list[int]], **asked: Any) -> list[str]:
        texts = [base.tokenizer.decode(prompt) for prompt in prompts]
        return [rests[text.rsplit("Question: ", 1)[1]] for text in texts]

    monkeypatch.setattr("learnctl.trainer.study.complete_batch", write)
    facts = find_facts(TWO_FACTS)
    found, checked = write_questions(llama, facts, 2, seed=0)
    assert [(q.fact, q.span.text, q.text) for q in found] == [
        (0, "4 March", "When was the boiler serviced?"),
        (0, "Harald Immer", "Who serviced the boiler?"),
        (1, "640 euros", "How much did the fence cost?"),
    ]
    assert checked == Checked(written=8, dropped=4)


def test_the_same_seed_writes_the_same(llama: Base) -> None:
    """Questions follow from the seed."""
    facts = find_facts("The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.")
    assert write_questions(llama, facts, 3, seed=3) == write_questions(llama, facts, 3, seed=3)
