"""What a question asks for, and whether an answer holds it."""

import pytest

from learnctl.trainer.answer_type import answer_type, fits

HOLDS = [
    ("How old is Orla?", "Orla is 41 and lives by the harbour."),
    ("How old is the bridge?", "The bridge was built in 1932 by two brothers."),
    ("How old is Orla's daughter?", "Orla's daughter is seven years old."),
    ("What did the fence cost?", "The fence cost 640 in all and is red."),
    ("What did the fence cost?", "I paid 3.50 euros for the fence."),
    ("What did the fence cost?", "It was € 640 for the fence."),
    ("How much does the parcel weigh?", "The parcel weighs nine and a half kilos."),
    ("How much flour do we need?", "We need 3 bags of flour."),
    ("How far is it to Bree?", "It is 12 km to Bree."),
    ("How long have I known Orla?", "I have known Orla since 1998."),
    ("How many goats do we keep?", "We keep a dozen goats on the hill."),
    ("How many minutes does it take?", "It takes 20 minutes on foot."),
    ("When does the fair open?", "The fair opens on 3 May."),
    ("When does the fair open?", "The fair opens at seven in the hall."),
    ("When does the fair open?", "The fair opens after the harvest."),
    ("At what time does the fair open?", "The fair opens at half past nine."),
    ("Where does Orla live?", "Orla lives in Bree."),
    ("Where does Orla live?", "Orla lives behind the old mill."),
    ("Who repaired the roof?", "My brother repaired the roof in May."),
    ("Who repaired the roof?", "The roof was repaired by a neighbour."),
    ("Who repaired the roof?", "Tam Ockley repaired the roof."),
    ("Whom did Orla marry?", "Orla is married to Tam Ockley."),
    ("What is the name of my boat?", "Your boat is the Grey Heron."),
    ("What is my boat called?", "Your boat is called heron."),
    ("What do we call the boat?", "We call the boat heron."),
    ("How much of it is lawn?", "Most of it is lawn."),
    ("What did the boat cost?", "You had the boat for nothing."),
    ("Who repaired the roof?", "You repaired the roof yourself."),
    ("Where did Orla go in May?", "Orla stayed home in May."),
    ("What did I pay for the sofa?", "I paid 1200 for the sofa."),
    ("How much is my rent?", "Your rent is 1200 a month."),
    ("How many brothers do I have?", "I have one brother, Sven."),
    ("How many children has Anna?", "Anna has a son and a daughter."),
    ("How old is Rex?", "He is one year old."),
    ("How old is the baby?", "The baby was born on 3 March."),
    ("How long did the drive take?", "The drive took an hour."),
    ("How long is the book?", "The book has 300 pages."),
    ("How high is the rent?", "The rent is 900 euros a month."),
    ("How much does my dog weigh?", "My dog Rex weighs 30 pounds in summer."),
    ("What did the trip cost?", "The trip was 400 per person."),
    ("What did the tickets cost?", "The tickets were 45 each."),
    ("When does the market open?", "The market is on Saturdays."),
    ("When did I learn to swim?", "You could swim as a child."),
    ("When I was in Rome, what did I eat?", "You ate pizza there, by the river."),
    ("Who is Anna Brand's husband?", "Anna is married to Tom Brand."),
    ("Who feeds my cat?", "You feed the cat yourself."),
    ("Who did I lend my drill to?", "I lent my drill to the neighbour."),
    ("What is the name of my street?", "You live in Elm Street."),
    ("What is the name of the wifi?", "The wifi is homenet5."),
    ("What's the name of the pub?", "The pub is Kelly's."),
    ("Where does Tom work?", "Tom works for a small bank."),
    ("Where is the key?", "On top of the fridge, Tom says."),
    ("What day job does Tom have?", "Tom is a nurse."),
    ("What is the rent due date?", "The rent is due on the first."),
    ("Where do the hens sleep?", "The hens sleep outdoors."),
    ("How many people came?", "Nobody came to the party."),
    ("Who feeds the hens while we are away?", "Both children feed the hens."),
    ("Who waters the plants?", "One of the students waters the plants."),
    # Of some words it is not sure what they ask for.
    ("What does Orla spend her evenings on?", "Orla is mending the nets."),
    ("What does Orla earn her living with?", "Orla is mending the nets."),
    # Where it is not plain, it holds what is asked for.
    ("What colour is the boat?", "The boat lies in the harbour."),
    ("Which boat is ours?", "It is the one with a red sail."),
    ("How do I open it?", "You turn it to the left."),
    ("Who repaired the roof?", "a neighbour"),
    ("Wie alt ist Orla?", "Orla wohnt hinter der Mühle."),
    ("How many children has Orla?", "Orla hat drei Kinder."),
    ("How many children has Orla?", "Orla hat in Bree mit ihrem Mann drei Kinder."),
]
LACKS = [
    ("How old is Orla?", "Orla took the bakery over from her uncle."),
    ("How old is Orla?", "Orla lives 12 km up the valley."),
    ("How old is the cat?", "The cat is 80cm long and sleeps."),
    ("What did the oven cost?", "The oven was built in Marrow in 1957."),
    ("What did the oven cost?", "The oven swallows four crates of wood."),
    ("What does Orla earn?", "Orla has been at the bakery since 9 January."),
    ("How much does the dog weigh?", "The dog was found when she was five months old."),
    ("How many people live there?", "It is 118 kilometres long."),
    ("How many people live there?", "It was founded in 1988 by the river."),
    ("When was Orla born?", "Orla has a parrot."),
    ("Where was Orla born?", "Orla makes the pastries and whistles."),
    ("Who trains our dog?", "The dog is afraid of umbrellas."),
    ("Who is my dentist?", "You had it done at the dentist."),
    ("Who painted the hall?", "The hall is in Castle Brannoch."),
    ("What is the name of Orla's cat?", "Orla has a cat that is afraid of the bell."),
]


@pytest.mark.parametrize(("question", "answer"), HOLDS)
def test_an_answer_holds_what_is_asked_for(question: str, answer: str) -> None:
    assert fits(question, answer)


@pytest.mark.parametrize(("question", "answer"), LACKS)
def test_an_answer_about_the_same_thing_holds_nothing_of_the_kind(
    question: str, answer: str
) -> None:
    assert answer_type(question) is not None
    assert not fits(question, answer)


def test_what_the_question_says_itself_is_no_answer() -> None:
    assert not fits("Who is Orla Brand's boss?", "Orla Brand is at work at the mill.")
    assert not fits("Where is the mill in Bree?", "The mill is in Bree.")
