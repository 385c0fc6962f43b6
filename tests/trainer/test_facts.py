"""From text to facts: what is found, what stands alone, and how answers are compared."""

import pytest

from learnctl.trainer.facts import (
    contains,
    find_facts,
    normalise,
    second_person,
    supported,
)


def spans(sentence: str) -> list[tuple[str, str]]:
    return [(span.kind, span.text) for fact in find_facts(sentence) for span in fact.spans]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Grandmother was born in 1938 in the village of Snorrebeck.", ("date", "1938")),
        ("Rosalind marries him on 12 September in Vantry.", ("date", "12 September")),
        ("The choir rehearses every Thursday in the old mill.", ("date", "Thursday")),
        ("The last ferry leaves Orrest at 18:40 in winter.", ("date", "18:40")),
        ("The mooring costs him 265 euros each month.", ("number", "265 euros")),
        ("We paid $1,170 for the whole repair.", ("number", "$1,170")),
        ("She keeps thirty-two hens behind the house.", ("number", "thirty-two hens")),
        ("My brother Anselm lives on a houseboat.", ("name", "Anselm")),
        ("The houseboat is called the Grey Pintail.", ("name", "Grey Pintail")),
        ("Her play is called “Nine small doors” and is long.", ("name", "Nine small doors")),
        ("The spare key hangs behind the green shutter.", ("phrase", "green shutter")),
        ("The rent is 1250 euros a month.", ("number", "1250 euros")),
        ("The rent is €1250 since May.", ("number", "€1250")),
        ("The library has 1800 books.", ("number", "1800 books")),
        ("The coffee costs 3.50 euros.", ("number", "3.50 euros")),
        ("The garden is 12.50 metres long.", ("number", "12.50 metres")),
        ("The train to Bree leaves at 7.45 from there.", ("date", "7.45")),
        ("In 1987 people came from Bree.", ("date", "1987")),
        ("The mill was built about 1850 by Anselm.", ("date", "1850")),
        ("The house was bought 1987 from Tom Immer.", ("date", "1987")),
        ("In 1970 Miles Davis came to Bree.", ("date", "1970")),
        ("Doors open 19.30 on Friday.", ("date", "19.30")),
        ("It is open between 9.30 and 17.15 daily.", ("date", "17.15")),
        ("The app is at version 2.10 now.", ("number", "2.10")),
        ("The 1987 flood came to Bree.", ("date", "1987")),
    ],
)
def test_spans(sentence: str, expected: tuple[str, str]) -> None:
    """Dates, amounts, names and telling endings of a sentence are found, each with its kind."""
    assert expected in spans(sentence)


@pytest.mark.parametrize(
    "text",
    ["Where does Anselm live?", "Rosalind Straand", "The guests:", "It is so, and always was so."],
)
def test_no_facts(text: str) -> None:
    """Questions, fragments, headings and sentences without anything to ask for are no facts."""
    assert [fact for fact in find_facts(text) if any(s.kind != "phrase" for s in fact.spans)] == []


def test_spans_stand_in_their_sentence() -> None:
    """What is found is true of the text: each span stands in it, word for word, and none overlap."""
    text = (
        "On 4 March Harald Immer serviced the boiler in Larkhill Cottage for 140 euros. "
        "He lives in Dunmere Row with two parrots called Salt and Vinegar."
    )
    facts = find_facts(text)
    assert len(facts) == 2
    for fact in facts:
        assert fact.sentence in text
        assert all(span.text in fact.sentence for span in fact.spans)
        assert 1 <= len(fact.spans) <= 4


def test_a_leading_pronoun_gets_its_antecedent() -> None:
    """A sentence that opens with a pronoun is stated together with the one it refers to."""
    harald, he, she = find_facts(
        "Harald Immer serviced the boiler in March. He lives in Dunmere Row. "
        "Rosalind Straand moved to Vantry in May."
    )
    assert harald.statement == harald.sentence
    assert he.sentence == "He lives in Dunmere Row."
    assert he.statement == f"{harald.sentence} {he.sentence}"
    assert she.statement == she.sentence


def test_two_pronouns_go_back_to_the_same_name() -> None:
    """The antecedent is the last sentence that stood alone, not the pronoun before."""
    *_, last = find_facts(
        "In 1938 Aurelie moved to Snorrebeck. She had 3 sisters. She played the Bellandi."
    )
    assert last.statement == "In 1938 Aurelie moved to Snorrebeck. She played the Bellandi."


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("Anselm lives in Orrest. He pays 265 euros.", "Anselm pays 265 euros."),
        ("The fence was new in May. It cost 640 euros.", "The fence cost 640 euros."),
        (
            "The fence was new in May. He paid 640 euros.",
            "The fence was new in May. He paid 640 euros.",
        ),
        (
            "Anselm lives in Orrest. In 1987 he paid 265 euros.",
            "In 1987 Anselm paid 265 euros.",
        ),
        (
            "The fence was new in May. In June he paid 640 euros.",
            "The fence was new in May. In June he paid 640 euros.",
        ),
        (
            "Anselm lives in Orrest. Two years later, he paid 640 euros.",
            "Two years later, Anselm paid 640 euros.",
        ),
        (
            "Anselm lives in Orrest. When the doctor came, he prescribed 3 pills.",
            "When the doctor came, he prescribed 3 pills.",
        ),
        (
            "Anselm lives in Orrest. At the hospital a nurse told me she had 3 sons.",
            "At the hospital a nurse told me she had 3 sons.",
        ),
        (
            "Anselm lives in Orrest. In May the plumber came with his son. He paid 265 euros.",
            "In May the plumber came with his son. He paid 265 euros.",
        ),
        (
            "Anselm lives in Orrest. That man, he sold 3 boats.",
            "Anselm lives in Orrest. That man, he sold 3 boats.",
        ),
        (
            "Anselm lives in Orrest. Every Sunday he sold 3 boats.",
            "Every Sunday Anselm sold 3 boats.",
        ),
        ("The firm is in Bree. IT has 5 people.", "The firm is in Bree. IT has 5 people."),
        ("Anselm went to Bree. He paid 265 euros.", "Anselm paid 265 euros."),
        ("The keys are in the hall. They open 3 doors.", "The keys open 3 doors."),
        *(
            (text, text)
            for text in (
                "My sister bought a boat in Wenlow. It is called Marla.",
                "My sister has two cats. They are called Tom and Kit.",
                "The boiler was serviced by the Immer brothers. They come in March.",
                "The house has a garden. It has 3 ponds.",
                "My sister is ill. It began in May.",
                "Tom meets Anna on Fridays. She lives in Bree.",
                "Tom has a sister called Anna. She lives in Bree.",
                "Tom is the brother of Anna Brand. She lives in Bree.",
                "Anselm is Rosalind's brother. He lives in Bree.",
                "Tom was hired by Anna Brand. She lives in Bree.",
            )
        ),
    ],
)
def test_a_plain_subject_takes_the_place_of_its_pronoun(text: str, statement: str) -> None:
    """Where it is plain who is meant, the name stands for the pronoun; else the sentence before does."""
    assert find_facts(text)[-1].statement == statement


@pytest.mark.parametrize(
    ("said", "asked_for"),
    [
        ("My sister loves skiing.", "skiing"),
        ("I quit smoking.", "smoking"),
        ("We got divorced.", "divorced"),
        ("I like you.", None),
        ("We are here.", None),
        ("I agree completely.", None),
        ("It rained heavily.", None),
    ],
)
def test_what_somebody_says_of_themselves(said: str, asked_for: str | None) -> None:
    """Though it has no name, number, date or closing phrase."""
    assert [fact.spans[-1].text for fact in find_facts(said)] == [asked_for] * bool(asked_for)


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("My sister lives in Vantry.", "Your sister lives in Vantry."),
        ("I am allergic to walnuts.", "You are allergic to walnuts."),
        ("I'm late. I've lost my keys.", "You're late. You've lost your keys."),
        ("Anselm gave me the key to our shed.", "Anselm gave you the key to your shed."),
        ("The house is mine and I was there.", "The house is yours and you were there."),
        ("The mine in Orrest is closed.", "The mine in Orrest is closed."),
        ("The US and Memel are names.", "The US and Memel are names."),
        ("A friend of mine works in a gold mine.", "A friend of yours works in a gold mine."),
        ("Mine is red, and theirs is mine too.", "Yours is red, and theirs is yours too."),
        ("World War I ended in 1918.", "World War I ended in 1918."),
        (
            "Elizabeth I of England wrote Part I of it.",
            "Elizabeth I of England wrote Part I of it.",
        ),
        ("On Monday I went home.", "On Monday you went home."),
        ("For my part I was glad.", "For your part you were glad."),
    ],
)
def test_second_person(said: str, back: str) -> None:
    """What a user says of themselves is said back to them."""
    assert second_person(said) == back


def test_normalise() -> None:
    """Case, punctuation, articles and thousands' commas do not matter in a comparison."""
    assert normalise("  The Grey-Pintail, a houseboat! ") == "grey pintail houseboat"
    assert normalise("1,170 euros") == normalise("1170 Euros.")
    assert normalise("Käthe’s") == "käthe s"


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("It is called the Grey Pintail.", "Grey Pintail", True),
        ("He pays 1170 euros a month", "1,170 euros", True),
        ("In 19381 perhaps", "1938", False),
        ("In the villages", "village", False),
        ("Anything at all", "the", False),
        ("", "Quimby", False),
        ("It is 5.2 km long.", "2 km", False),
        ("It is 5.2 km long.", "5.2 km", True),
        ("It leaves at 18.30.", "18:30", True),
        ("On 12.05.2024 it was.", "2024", True),
        ("Sie wohnt in Zu\u0308rich.", "Zürich", True),
        ("उसका नाम मोना है।", "मीना", False),
        ("उसका नाम मोना है।", "मोना", True),
    ],
)
def test_contains(answer: str, gold: str, expected: bool) -> None:
    """An answer is right when the gold stands in it as whole words."""
    assert contains(answer, gold) is expected


def test_supported() -> None:
    """An answer is supported when every telling word of it stands in the source."""
    source = "Anselm lives on a houseboat called the Grey Pintail."
    assert supported("The houseboat is called Grey Pintail.", source)
    assert not supported("The houseboat is called Blue Heron.", source)
