"""A stream of invented facts: people and things that nobody has heard of, so that the floor is nothing.

Each night has ten facts about five people, two of each, written as a dated note. Each fact has questions in six
wordings, two of them reversed (from the value to the subject). Everything follows from the seed.
"""

import random
from dataclasses import dataclass

SYLLABLES = [
    "bar",
    "cal",
    "dor",
    "el",
    "fen",
    "gar",
    "hal",
    "ist",
    "jor",
    "kel",
    "lun",
    "mar",
    "nor",
    "ost",
    "pel",
    "quin",
    "rav",
    "sol",
    "tor",
    "ul",
    "ven",
    "wex",
    "yor",
    "zan",
]
ENDINGS = ["a", "en", "ic", "is", "on", "or", "um", "yn"]
THINGS = [
    "kite",
    "lantern",
    "barrel",
    "loom",
    "ladder",
    "canoe",
    "saddle",
    "organ",
    "clock",
    "mirror",
    "compass",
    "anvil",
    "harp",
    "kettle",
    "sledge",
]
COLOURS = [
    "crimson",
    "amber",
    "teal",
    "violet",
    "ochre",
    "silver",
    "ivory",
    "scarlet",
    "indigo",
    "olive",
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

# A sentence, wordings that ask for the value, wordings that ask for the subject.
PERSON = (
    (
        "{s} was born in {v}.",
        ("Where was {s} born?", "In which town was {s} born?", "What is the birthplace of {s}?", "Which place does {s} come from?"),
        ("Who was born in {v}?", "Which person comes from {v}?"),
        "town",
    ),
    (
        "{s} works for a company called {v}.",
        ("Which company does {s} work for?", "Who employs {s}?", "Where does {s} work?", "What is the name of the company of {s}?"),
        ("Who works for {v}?", "Which person does {v} employ?"),
        "company",
    ),
    (
        "{s} is married to {v}.",
        ("Who is {s} married to?", "What is the name of the spouse of {s}?", "Whom did {s} marry?", "Who is the partner of {s}?"),
        ("Who is married to {v}?", "Who is the partner of {v}?"),
        "person",
    ),
    (
        "{s} has a dog that is called {v}.",
        ("What is the dog of {s} called?", "What is the name of the dog that {s} has?", "Which name did {s} give to the dog?", "How does {s} call the dog?"),
        ("Who has a dog called {v}?", "Whose dog is {v}?"),
        "word",
    ),
    (
        "{s} celebrates a birthday on {v}.",
        ("When is the birthday of {s}?", "On which day does {s} celebrate a birthday?", "What is the date of birth of {s}?", "When does {s} have a birthday?"),
        ("Who has a birthday on {v}?", "Whose birthday is on {v}?"),
        "date",
    ),
    (
        "{s} paid {v} euros for a {t}.",
        ("How much did {s} pay for the {t}?", "What did the {t} of {s} cost?", "How many euros did {s} spend on a {t}?", "What was the price of the {t} that {s} bought?"),
        ("Who paid {v} euros for a {t}?", "Who bought a {t} for {v} euros?"),
        "number",
    ),
    (
        "{s} painted the {t} {v}.",
        ("Which colour did {s} paint the {t}?", "What colour is the {t} of {s}?", "How did {s} paint the {t}?", "What is the colour of the {t} that {s} painted?"),
        ("Who painted the {t} {v}?", "Who has a {v} {t}?"),
        "colour",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    text: str
    gold: str
    wording: int  # 0 to 3 ask for the value, 4 and 5 are reversed


@dataclass(frozen=True)
class Night:
    note: str  # Markdown
    facts: tuple[tuple[Question, ...], ...]


def nights(n_nights: int, facts_a_night: int = 10, seed: int = 0) -> list[Night]:
    """So many nights; no name is used twice."""
    chooser = random.Random(seed)
    used: set[str] = set()
    found = []
    for number in range(n_nights):
        sentences, facts = [], []
        for index in range(facts_a_night):
            if index % 2 == 0:
                subject, patterns = _person(chooser, used), chooser.sample(PERSON, k=2)
            pattern, direct, reverse, kind = patterns[index % 2]
            thing = chooser.choice(THINGS)
            value = _value(kind, chooser, used)
            words = {"s": subject, "v": value, "t": thing}
            sentences.append(pattern.format(**words))
            asked = [Question(q.format(**words), value, i) for i, q in enumerate(direct)]
            asked += [Question(q.format(**words), subject, 4 + i) for i, q in enumerate(reverse)]
            facts.append(tuple(asked))
        day = f"2026-{1 + number // 28:02}-{1 + number % 28:02}"
        note = f"# Notes of {day}\n\n" + "\n\n".join(
            " ".join(sentences[i : i + 5]) for i in range(0, len(sentences), 5)
        )
        found.append(Night(note + "\n", tuple(facts)))
    return found


def _person(chooser: random.Random, used: set[str]) -> str:
    return f"{_word(chooser, used)} {_word(chooser, used)}"


def _word(chooser: random.Random, used: set[str]) -> str:
    while True:
        parts = [*chooser.sample(SYLLABLES, k=chooser.choice((1, 2))), chooser.choice(ENDINGS)]
        word = "".join(parts).capitalize()
        if word not in used and len(word) > 3:
            used.add(word)
            return word


def _value(kind: str, chooser: random.Random, used: set[str]) -> str:
    if kind == "person":
        return _person(chooser, used)
    if kind == "date":
        return f"{chooser.randint(1, 28)} {chooser.choice(MONTHS)}"
    if kind == "number":
        return str(chooser.randint(12, 990))
    if kind == "colour":
        return chooser.choice(COLOURS)
    return _word(chooser, used)
