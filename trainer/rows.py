"""Samples as rows of tokens, in the circumstances they will be asked in.

Most rows are asked alone. Some come under a system prompt such as users write, some as a later turn of a
chat about something else, so that what is learned does not hang on one form. Which row gets which form
changes from epoch to epoch and follows from the seed.
"""

import math
import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..memory.search import telling_words
from ..memory.store import Record
from .absent import Strangers, asked_of_another
from .base import Base
from .chat_form import Chat
from .cues import Words, drawn_again
from .options import AUTO, Options
from .own_prompts import MOST
from .pack import Row, Targets, encode
from .prompt_lists import read_prompts

T = TypeVar("T")

# A form is drawn for a few rows together: in a pack, what they begin with is then computed once.
ROWS_OF_A_FORM = 8
SYSTEM_SHARE = 0.15
LATER_TURN_SHARE = 0.1
# Earlier turns are cut to this many words: they are circumstance, not material.
TURN_WORDS = 16
# Epochs of a night; of a small one as many more as make these steps of the optimizer, of one with a budget as many as
# it has time for, up to so many.
EPOCHS = 5
LEAST_STEPS, MOST_EPOCHS = 96, 12
# How many epochs' worth of general rows there are to choose from.
GENERAL_ROUNDS = 4
# After the first epoch of a night, samples of these kinds are in one epoch of so many alone. How somebody writes is learned in two
# passes or three and overdone in twelve; how to read what is in view is learned in few, and costs six times as much a row.
EVERY = {"voice": 6, "open": 3}
# So often a sample of an earlier night is trained in a night, and more often once there is time for all of them. What is not rehearsed
# at all is forgotten, so the more epochs there are the more samples go round in them.
REPLAYED = 2
# Of the rows of an epoch, so many are the base's own word on who it is and on what it declines. A few rows
# that teach another are enough to lose that: https://arxiv.org/abs/2310.03693.
ANCHOR_SHARE = 0.015


@dataclass(frozen=True)
class Material:
    """What a run's rows are made of.

    samples: what is taught in every epoch, with `id`, `kind`, `prompt`, `answer`, `passage`; general: general prompts
    with the base's answers; taught: targets for samples that a teacher was asked about; rehearsed: rows of `general`; own: rows of what the base asks and answers by itself; anchors: rows of refusals and of identity; held: the telling
    words of each wording that is never trained on; strangers: of whom and what it is asked that is in no note; replayed: samples
    of earlier nights, which go round, `replayed_each` of them in an epoch.
    """

    samples: Sequence[Record]
    general: Sequence[Record]
    taught: Mapping[int, Targets]
    rehearsed: Sequence[Row]
    own: Sequence[Row] = ()
    anchors: Sequence[Row] = ()
    held: Set[Words] = frozenset()
    strangers: Strangers = field(default_factory=Strangers)
    replayed: Sequence[Record] = ()
    replayed_each: int = 0


def n_epochs(options: Options, steps_each: float, as_many_as_help: bool = False) -> int:
    """How many epochs a night has.

    Args:
        steps_each: of the optimizer, in one epoch.
        as_many_as_help: it has a budget, and its time says how many of them are trained; or all that a version knows is learned
            from nothing again.
    """
    if options.epochs != AUTO:
        return int(options.epochs)
    if as_many_as_help:
        return MOST_EPOCHS
    return min(MOST_EPOCHS, max(EPOCHS, math.ceil(LEAST_STEPS / max(1, steps_each))))


def epoch_rows(base: Base, material: Material, options: Options, epoch: int) -> list[Row]:
    """The rows of one epoch in their order: facts in forms, and general rows and anchors in their turn."""
    chooser = random.Random(f"{options.seed} {epoch}")
    longest = options.pack_tokens
    n_replayed = _going_round(material)
    replayed = _rehearsed_in(material, epoch)
    taught = [sample for sample in material.samples if not _rests(sample, epoch)]
    # What is not asked this time leaves the others where they are: a run that was stopped goes on in their order.
    shuffled = chooser.sample([*taught, *replayed], k=len(taught) + len(replayed))
    groups = []
    for start in range(0, len(shuffled), ROWS_OF_A_FORM):
        opening = _opening(material.general, chooser)
        group = shuffled[start : start + ROWS_OF_A_FORM]
        asked = (_asked_in(sample, material, options.seed, epoch) for sample in group)
        some = [sample for sample in asked if sample]
        rows = [_fact_row(base, opening, sample, longest) for sample in some]
        groups.append(
            [
                replace(row, soft=material.taught.get(sample["id"]))
                for row, sample in zip(rows, some, strict=True)
            ]
        )
    groups = groups or [[]]
    n_facts = len(material.samples) + n_replayed
    general = [
        *of_epoch(material.rehearsed, options.general_rows, epoch),
        # A base may have written fewer; repeated, a few would outweigh what is taught.
        *of_epoch(material.own, min(own_beside(n_facts, options), len(material.own)), epoch),
        *of_epoch(material.anchors, anchors_beside(n_facts, options), epoch),
    ]
    # Spread evenly: a step of general rows alone undoes what the steps without any have done.
    for index, row in enumerate(general):
        groups[index % len(groups)].append(row)
    chooser.shuffle(groups)
    return [row for group in groups for row in group if row.weight and len(row.ids) <= longest]


def _rests(sample: Record, epoch: int) -> bool:
    """Whether an epoch goes without a sample of what is taught; what is replayed has turns of its own."""
    return bool(epoch and (epoch + sample["id"]) % EVERY.get(sample["kind"], 1))


def _asked_in(sample: Record, material: Material, seed: int, epoch: int) -> Record | None:
    """A sample as it is asked in an epoch: a cue has other words in each but the first, and what is in no note is asked
    of other strangers. One that a teacher was asked about stays what the teacher was asked. None where nothing is left
    that is in no note."""
    chooser = random.Random(f"{seed} {epoch} {sample['id']}")
    if sample["kind"] == "absent":
        prompt = asked_of_another(sample["prompt"], material.strangers, chooser)
        if prompt is None or frozenset(telling_words(prompt)) in material.held:
            return None
        return {**sample, "prompt": prompt}
    if sample["kind"] != "cue" or not epoch or sample["id"] in material.taught:
        return sample
    return drawn_again(sample, material.held, chooser)


def _opening(general: Sequence[Record], chooser: random.Random) -> Chat:
    """What stands before a question: mostly nothing, else a system prompt or earlier turns."""
    chance = chooser.random()
    if chance < SYSTEM_SHARE:
        return [{"role": "system", "content": chooser.choice(read_prompts("systems"))}]
    if chance < SYSTEM_SHARE + LATER_TURN_SHARE and general:
        return _earlier_turns(general, chooser)
    return []


def _fact_row(base: Base, opening: Chat, sample: Record, longest: int) -> Row:
    """A sample after its opening; one that is too long for a pack with it is asked alone."""
    asked: Chat = [*opening, {"role": "user", "content": sample["prompt"]}]
    row = _encode(base, asked, sample["answer"])
    return row if len(row.ids) <= longest else plain_row(base, sample)


def too_long(base: Base, samples: Sequence[Record], longest: int) -> list[int]:
    """The numbers of the samples that fit no pack even when they are asked alone."""
    return [one["id"] for one in samples if len(plain_row(base, one).ids) > longest]


def plain_row(base: Base, sample: Record) -> Row:
    """A sample asked alone."""
    return _encode(base, [{"role": "user", "content": sample["prompt"]}], sample["answer"])


def general_rows(
    base: Base, general: Sequence[Record], longest: int, weight: float = 1.0
) -> dict[int, Row]:
    """The base's own answers to general prompts by sample, each counting so much beside a fact's row."""
    rows = {}
    for sample in general:
        row = _encode(base, [{"role": "user", "content": sample["prompt"]}], sample["answer"])
        if sample["kind"] == "general open":
            # The base had more to say: where it was cut is not where an answer ends.
            row = Row(row.ids[:-1], row.answer_start)
        if row.answer_start < len(row.ids) <= longest:
            rows[sample["id"]] = replace(row, weight=weight)
    return rows


def replay_beside(n_new: int, options: Options) -> int:
    """How many samples are rehearsed beside so many new ones: also beside a single new fact as many as keep the others."""
    share = round(n_new * options.replay_share / (1 - options.replay_share))
    return max(share, options.replay_least) if options.replay_share else 0


def rehearsed_kinds(options: Options) -> set[str]:
    """The kinds of samples of earlier nights that are trained again. How to read is taught anew each night, and a row with its
    passages costs as much as six without."""
    return set(options.kinds.split(",")) - {"open"}


def without_turn(material: Material, n_epochs: int) -> list[int]:
    """The numbers of the samples of earlier nights that so many epochs did not come to."""
    each = _going_round(material)
    return [sample["id"] for sample in material.replayed[n_epochs * each :]]


def _going_round(material: Material) -> int:
    return min(len(material.replayed), material.replayed_each)


def _rehearsed_in(material: Material, epoch: int) -> list[Record]:
    """The samples of earlier nights whose turn it is, without those of kinds that are overdone in more rounds than these."""
    each, n = _going_round(material), len(material.replayed)
    return [
        sample
        for index, sample in enumerate(of_epoch(material.replayed, each, epoch), epoch * each)
        if sample["kind"] not in EVERY or index // n < REPLAYED
    ]


def anchors_beside(n_facts: int, options: Options) -> int:
    """How many refusals and answers about itself an epoch has beside so many facts: at least one, and
    none where nothing general is rehearsed."""
    if not options.general_rows:
        return 0
    return max(1, round(ANCHOR_SHARE * (n_facts + options.general_rows)))


def own_beside(n_facts: int, options: Options) -> int:
    """How many of the base's own prompts an epoch has beside so many facts: each at most once; none where nothing
    general is rehearsed."""
    return min(MOST, round(options.own_share * n_facts)) if options.general_rows else 0


def of_epoch(rows: Sequence[T], n_rows: int, epoch: int) -> list[T]:
    """So many of what goes round: each epoch takes up where the one before left off."""
    if not rows:
        return []
    return [rows[(epoch * n_rows + index) % len(rows)] for index in range(n_rows)]


def _encode(base: Base, chat: Chat, answer: str) -> Row:
    return encode(base.tokenizer, chat, answer, base.stop_ids)


def _earlier_turns(general: Sequence[Record], chooser: random.Random) -> Chat:
    turns: Chat = []
    for sample in chooser.sample(list(general), k=min(2, len(general))):
        turns.append({"role": "user", "content": sample["prompt"]})
        words = sample["answer"].split()
        turns.append({"role": "assistant", "content": " ".join(words[:TURN_WORDS])})
    return turns
