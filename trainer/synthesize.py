"""Chunks into training samples and probes, each with the chunk it came from.

Several kinds per fact: questions the base model writes and such as follow from the sentence itself, answered by the source's
own sentence, or in its own words by a base that reads well; cues, "complete this" and fill-in-the-blank rows that need no model at all. One question a fact is held back as a *probe*:
its wording is never trained on. Everything made is kept in the store by content and never made twice.
"""

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ..memory.lineage import note_outgrown, still_studied
from ..memory.redact import redact
from ..memory.store import LISTED, Record, Store, marks, now, to_json
from .absent import NOT_IN_NOTES, absent_question, find_strangers
from .apart import Asked, written_day
from .base import Base
from .chat_form import ANSWER_WITH
from .checked import Checked, count
from .contrasts import contrasts
from .cues import cue
from .facts import (
    SWAPS,
    Fact,
    Span,
    find_facts,
    inner_names,
    is_of_the_writer,
    normalise,
    supported,
)
from .generate import answer_batch
from .giving_way import at_rest
from .open_book import open_book
from .own_words import own_words
from .pairs import write_notes, write_pairs
from .plain_questions import plain_questions
from .premises import premises
from .prompt_lists import read_prompts
from .reading import reads_well
from .study import Question, write_questions
from .talked import asked_pair, dated, decided_pairs, texts_within, told_pair
from .voice import LEAST_WORDS, write_instructions
from .wordings import ENGLISH, gold_of, spoken_to

CUES_PER_FACT = 3
CUE_TRIES = 5
BLANKS_PER_FACT = 1
FACTS_AT_ONCE = 24
# One question in so many facts is asked again of something that is not in the sources.
FACTS_PER_ABSENT = 4
# What a person asked, decided and told, with the title of the talk, which is often a question itself.
LOGGED = ("asked", "decided", "told")
# In a text that is normalised, words that are others when it is said back to who said it.
SAID_BACK = frozenset(normalise(" ".join([*SWAPS, *SWAPS.values()])).split())
# Of what a user asked, a held-out wording of fewer words is no part that says which question it was.
LEAST_WITHIN = 3
ANSWER_TOKENS = 32


@dataclass(frozen=True)
class Sample:
    kind: str
    prompt: str
    answer: str
    second_chunk_id: int | None = None  # where it was made from two


@dataclass(frozen=True)
class Probe:
    question: str
    gold: str
    span_kind: str


# By the number of a fact and a question about it.
Answers = dict[tuple[int, str], str | None]


def study_chunks(
    store: Store,
    base: Base,
    chunks: list[Record],
    questions_per_fact: int,
    seed: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    out_of_time: Callable[[], bool] = lambda: False,
) -> int:
    """Make samples and probes of the chunks that were not studied yet with this base.

    Returns how many chunks are studied in the end; time may run out before all are.
    """
    done = studied_ids(store, base)
    todo = [chunk for chunk in chunks if chunk["id"] not in done]
    n_ready = len(chunks) - len(todo)
    known = _Known(store, base) if todo else None
    while known and todo and not out_of_time():
        group, facts = _take_group(todo)
        questions: list[Question] = []
        checked = {"questions": Checked()}
        if questions_per_fact:
            asked_for = [fact for _, fact in facts]
            questions, checked["questions"] = write_questions(
                base, asked_for, questions_per_fact + 1, seed
            )
        plain = [_plain(fact, chunk) for chunk, fact in facts]
        answers = _own_answers(store, base, facts, questions, plain)
        made, of_more = _study_well(store, base, group, seed)
        # A question that the base answers with something else asks for something else.
        n_dropped = sum(answer is None for answer in answers.values())
        checked |= {"answers": Checked(len(answers), n_dropped), **of_more}
        spoken = [chunk for chunk in group if has_voice(chunk)]
        tasks = write_instructions(base, [chunk["text"] for chunk in spoken], seed)
        with store.db.atomic():
            # While the base wrote, another process may have taken some of it back, or said that it may not be learned.
            there = still_studied(store, group)
            _keep_group(
                store, base, known, group, there, facts, questions, plain, answers, made, seed
            )
            voices = [
                (chunk["id"], Sample("voice", task, chunk["text"]))
                for chunk, task in zip(spoken, tasks, strict=True)
                if chunk["id"] in there
            ]
            keep_samples(store, base.digest, voices)
            for kind, found in checked.items():
                count(store, kind, found)
            keep_samples(store, base.digest, _open_book(store, base, group))
        todo = todo[len(group) :]
        n_ready += len(group)
        on_progress(n_ready, len(chunks))
    return n_ready


def deterministic_samples(fact: Fact, told: bool, chooser: random.Random) -> list[Sample]:
    """What can be made of a fact without a model; the answers are the source's own words."""
    statement = spoken_to(fact.statement, fact.language) if told else fact.statement
    words = statement.split()
    cut = max(2, len(words) // 2)
    beginning, rest = " ".join(words[:cut]), " ".join(words[cut:])
    found = [Sample("complete", f"Complete this: {beginning}", rest)]
    for turn in range(CUES_PER_FACT):
        span = fact.spans[-1 - turn % len(fact.spans)]
        if asked := cue(fact, span, chooser):
            found.append(Sample("cue", asked, statement))
    for span in fact.spans[-BLANKS_PER_FACT:]:
        if statement.count(span.text) == 1:
            gap = statement.replace(span.text, "____")
            found.append(Sample("blank", f"Fill in the blank: {gap}", span.text))
    return found


def general_samples(
    store: Store, base: Base, n_rows: int, prompts_of: str = "rehearsal"
) -> list[Record]:
    """The base's own greedy answers to general prompts, made once a base.

    An answer that did not end by itself is kept as `general open`; its end is not trained.

    Args:
        prompts_of: the list that the prompts are taken from, in its order.
    """
    held = held_out(store)
    prompts = [p for p in read_prompts(prompts_of) if normalise(p) not in held][:n_rows]
    return answers_of_its_own(store, base, prompts, ANSWER_TOKENS)


def answers_of_its_own(
    store: Store, base: Base, prompts: list[str], max_tokens: int
) -> list[Record]:
    """General samples of these prompts: what the base answers, greedy, where it has not answered before."""
    known = _general(store, base, prompts)
    missing = [prompt for prompt in prompts if prompt not in {row["prompt"] for row in known}]
    if missing:
        chats = [[{"role": "user", "content": prompt}] for prompt in missing]
        answers = answer_batch(base, base.model, chats, max_tokens=max_tokens)
        samples: list[tuple[int | None, Sample]] = []
        for prompt, answer in zip(missing, answers, strict=True):
            n_tokens = len(base.tokenizer(answer, add_special_tokens=False)["input_ids"])
            kind = "general open" if n_tokens >= max_tokens - 1 else "general"
            if answer:
                samples.append((None, Sample(kind, prompt, answer)))
        with store.db.atomic():
            keep_samples(store, base.digest, samples)
    return _general(store, base, prompts)


def hold_out(store: Store, questions: list[str]) -> None:
    """Promise that these wordings are never trained on; samples that use them go at once.

    A run that was stopped goes on without them, and trains anew; one at work is not published.
    """
    wordings = {normalise(question) for question in questions}
    with at_rest(store.home) as rests, store.db.atomic():
        for wording in sorted(wordings):
            store.db.execute("INSERT OR IGNORE INTO held_out (wording) VALUES (?)", [wording])
        gone = _drop_samples(store, wordings)
        if rests:
            left_out = store.db.execute(
                "DELETE FROM run_samples WHERE run_id IN (SELECT id FROM runs WHERE state = 'running')"
                f" AND sample_id IN {LISTED}",
                [to_json(gone)],
            )
            if left_out.rowcount:
                # Where this is not committed after all, the run trains anew for nothing, and is right all the same.
                shutil.rmtree(store.home.runs, ignore_errors=True)


def held_out(store: Store) -> set[str]:
    """Every wording, normalised, that must not be trained on."""
    probes = {normalise(row["question"]) for row in store.rows("SELECT question FROM probes")}
    return held_out_by_name(store) | probes


def held_out_by_name(store: Store) -> set[str]:
    """Of these, the questions that somebody asked us to hold out."""
    return {row["wording"] for row in store.rows("SELECT wording FROM held_out")}


def keep_samples(
    store: Store, base_digest: str, samples: Iterable[tuple[int | None, Sample]]
) -> None:
    """Keep samples, each with the number of its chunk, but for those in a wording that is held out, and those of chunks that
    somebody has taken back meanwhile."""
    held, some = held_out(store), list(samples)
    of = {number for chunk_id, sample in some for number in (chunk_id, sample.second_chunk_id)}
    there = {None, *_live(store, [number for number in of if number is not None])}
    for chunk_id, sample in some:
        if {chunk_id, sample.second_chunk_id} <= there and not _says(sample, held):
            _keep_sample(store, base_digest, chunk_id, sample)


def _says(sample: Sample, wordings: set[str]) -> bool:
    """Whether a sample has one of these wordings: as its prompt, behind its passages where it has some, or,
    where it tells what a user asked, within that, or within the title of the chat, which is often the
    same question."""
    if sample.kind == "open":
        return normalise(sample.prompt.rpartition(ANSWER_WITH)[2]) in wordings
    if normalise(sample.prompt) in wordings:
        return True
    if sample.kind not in LOGGED:
        return False
    texts = [normalise(text) for text in texts_within(sample.prompt, sample.answer)]
    if wordings.intersection(texts):
        return True
    # What a person said is said back to them: "my" has become "your" in it.
    texts = [_of_nobody(text) for text in texts]
    told = (_of_nobody(wording) for wording in wordings)
    telling = [wording for wording in told if len(wording.split()) >= LEAST_WITHIN]
    return any(f" {wording} " in f" {text} " for wording in telling for text in texts)


@lru_cache(maxsize=65536)  # every wording is asked about for every sample
def _of_nobody(text: str) -> str:
    """A normalised text without the words that change when it is said back."""
    return " ".join(word for word in text.split() if word not in SAID_BACK)


def _drop_samples(store: Store, wordings: set[str], kinds: Collection[str] = ()) -> list[int]:
    """Delete the samples with one of these wordings, of some kinds or of all; who learned from them is found when their source
    goes. Their numbers."""
    only = f" WHERE kind IN ({marks(kinds)})" if kinds else ""
    rows = store.rows(f"SELECT id, chunk_id, kind, prompt, answer FROM samples{only}", *kinds)
    gone = [r for r in rows if _says(Sample(r["kind"], r["prompt"], r["answer"]), wordings)]
    note_outgrown(store, {row["chunk_id"] for row in gone} - {None})
    for row in gone:
        store.db.execute("DELETE FROM samples WHERE id = ?", [row["id"]])
    return [row["id"] for row in gone]


def _keep_sample(store: Store, base_digest: str, chunk_id: int | None, sample: Sample) -> None:
    # What a model wrote may look like a secret too.
    prompt, answer = redact(sample.prompt), redact(sample.answer)
    identity = json.dumps([sample.kind, prompt, answer, chunk_id, base_digest])
    store.db.execute(
        "INSERT OR IGNORE INTO samples (sha256, chunk_id, second_chunk_id, base_digest, kind, prompt,"
        " answer, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            hashlib.sha256(identity.encode()).hexdigest(),
            chunk_id,
            sample.second_chunk_id,
            base_digest,
            sample.kind,
            prompt,
            answer,
            now(),
        ],
    )


def choose_probe(
    questions: list[Question], fact: Fact, told: bool, trained: set[str], chooser: random.Random
) -> tuple[Probe | None, list[Question]]:
    """One question held back, where enough remain to learn the fact from; the rest is for training."""
    firm = [q for q in questions if q.span.kind != "phrase" and normalise(q.text) not in trained]
    if len(questions) < 2 or not firm:
        return None, questions
    held = chooser.choice(firm)
    gold = gold_of(held.span.text, fact.language) if told else held.span.text
    return Probe(held.text, gold, held.span.kind), [q for q in questions if q != held]


def cue_probe(
    fact: Fact, span: Span, told: bool, trained: set[str], chooser: random.Random
) -> Probe | None:
    """A second wording of what a probe asks, to tell knowledge of the fact from luck with a wording; None where each one drawn is
    trained already."""
    gold = gold_of(span.text, fact.language) if told else span.text
    drawn = (cue(fact, span, chooser) for _ in range(CUE_TRIES))
    wording = next((one for one in drawn if one and normalise(one) not in trained), None)
    return Probe(wording, gold, span.kind) if wording else None


def cloze_probe(fact: Fact, told: bool) -> Probe:
    """A held-out wording that needs no model, for bases that write no usable question."""
    span = fact.spans[-1]
    before, _, after = fact.statement.rpartition(span.text)
    gold = gold_of(span.text, fact.language) if told else span.text
    return Probe(f"Which words are missing from my notes here? {before}…{after}", gold, span.kind)


def attributed(fact: Fact, chunk: Record) -> Fact:
    """A fact that stands without its chat or mail: what somebody else said, or wrote of themselves, is said to be theirs, with the
    day."""
    if not _is_anothers(fact.statement, chunk):
        return fact
    return replace(fact, statement=f"{_whose(chunk, fact.language)}{fact.statement}")


def _is_anothers(text: str, chunk: Record) -> bool:
    """Whether "I" in what a chunk says may be somebody else than the owner of the store."""
    if chunk["kind"] == "said":
        return True
    return bool(chunk["writer"]) and (chunk["language"] != ENGLISH or is_of_the_writer(text))


def _whose(chunk: Record, language: str) -> str:
    """What is put in front of what somebody said or wrote."""
    did, who = (
        ("said", chunk["speaker"] or "somebody")
        if chunk["kind"] == "said"
        else ("wrote", chunk["writer"])
    )
    day = written_day(chunk["date"] or "", language)
    if language != ENGLISH:
        return f"{who} ({day}): " if day else f"{who}: "
    told = f"On {day} {who} {did}: " if day else f"{who} {did}: "
    return told[:1].upper() + told[1:]


def _take_group(todo: list[Record]) -> tuple[list[Record], list[tuple[Record, Fact]]]:
    """Chunks from the front, until there are enough facts for a batch of questions, or many that hold none."""
    group: list[Record] = []
    facts: list[tuple[Record, Fact]] = []
    for chunk in todo:
        group.append(chunk)
        facts += [(chunk, fact) for fact in facts_of(chunk)]
        if max(len(group), len(facts) + sum(map(has_voice, group))) >= FACTS_AT_ONCE:
            break
    return group, facts


def facts_of(chunk: Record) -> list[Fact]:
    """The facts that a chunk is to teach; none where it teaches a voice alone, or is a question."""
    if chunk["kind"] == "asked" or chunk["learn"] == "voice":
        return []
    told = settled_sample(chunk).answer if is_settled(chunk) else chunk["text"]
    return [attributed(fact, chunk) for fact in find_facts(told, chunk["language"])]


def _study_well(
    store: Store, base: Base, group: list[Record], seed: int
) -> tuple[list[tuple[int, Sample]], dict[str, Checked]]:
    """Pairs and notes of the passages, where the base reads well enough to write and to check them; how many did not pass."""
    if not reads_well(store, base):
        return [], {}
    chunks = [
        c
        for c in group
        if c["kind"] in ("text", "told")
        and c["learn"] != "voice"
        and not _is_anothers(c["text"], c)  # what it writes of such would say "my" of theirs
    ]
    pairs, checked_pairs = write_pairs(base, chunks, seed)
    notes, checked_notes = write_notes(base, chunks, seed)
    samples = [
        (
            chunks[one.passage]["id"],
            Sample(
                one.kind,
                one.prompt,
                _said_back(one.answer, chunks[one.passage]),
                None if one.second is None else chunks[one.second]["id"],
            ),
        )
        for one in pairs + notes
    ]
    return samples, {"pairs": checked_pairs, "notes": checked_notes}


def _open_book(store: Store, base: Base, group: list[Record]) -> list[tuple[int, Sample]]:
    return [
        (chunk_id, Sample("open", prompt, answer, second_id))
        for chunk_id, second_id, prompt, answer in open_book(store, base, group)
    ]


def has_voice(chunk: Record) -> bool:
    """Text of the person's own, from a source that may teach how they write."""
    return (
        chunk["learn"] in ("voice", "both")
        and not chunk["is_anothers"]
        and chunk["kind"] in ("text", "told")
        and chunk["n_words"] >= LEAST_WORDS
    )


class _Known:
    """What is asked and trained so far: read once, for it takes as long as the store has samples, and added to as groups are kept.

    Attributes:
        trained: the prompts of all samples, normalised.
        asked: in which wordings, and where these facts stand.
    """

    def __init__(self, store: Store, base: Base) -> None:
        self.trained = {
            normalise(row["prompt"]) for row in store.rows("SELECT prompt FROM samples")
        }
        self.asked = Asked(
            held_out(store),
            store.rows(
                "SELECT DISTINCT s.prompt, o.title, o.heading, o.date, c.language FROM samples s"
                " JOIN chunks c ON c.id = s.chunk_id JOIN origins o ON o.chunk_id = c.id WHERE s.base_digest = ?",
                base.digest,
            ),
        )

    def add(self, samples: Iterable[tuple[int, Sample]], chunks: Mapping[int, Record]) -> None:
        for chunk_id, sample in samples:
            self.trained.add(normalise(sample.prompt))
            self.asked.add(sample.prompt, chunks[chunk_id])


def _keep_group(
    store: Store,
    base: Base,
    known: _Known,
    group: list[Record],
    there: set[int],
    facts: list[tuple[Record, Fact]],
    questions: list[Question],
    plain: list[dict[str, str]],
    answers: Answers,
    written: list[tuple[int, Sample]],
    seed: int,
) -> None:
    chooser = random.Random(f"{seed} {group[0]['id']}")
    forbidden = held_out(store)
    trained, asked = known.trained, known.asked
    asked.hold(forbidden)
    strangers = find_strangers(store)
    probes: list[tuple[int, Probe]] = []
    second: list[tuple[int, Probe]] = []
    samples: list[tuple[int, Sample]] = []
    unasked: list[tuple[Record, Fact]] = []
    of_group = {chunk["id"]: chunk for chunk in group}
    for chunk_id, sample in written:
        # What a base writes of two passages under one heading must not be asked in one wording.
        if own_wording := asked.of_its_own(sample.prompt, of_group[chunk_id]):
            samples.append((chunk_id, replace(sample, prompt=own_wording)))
            asked.add(own_wording, of_group[chunk_id])
    for index, (chunk, fact) in enumerate(facts):
        told = chunk["kind"] == "told"
        built = {
            form: text
            for form, text in plain[index].items()
            if form not in forbidden and answers.get((index, text), "") is not None
        }
        taken = forbidden | set(built)
        own = [q for q in questions if q.fact == index and normalise(q.text) not in taken]
        own = [q for q in own if answers.get((index, q.text), "") is not None]
        probe, rest = choose_probe(own, fact, told, trained, chooser)
        if probe:
            probes.append((chunk["id"], probe))
            asked.add(probe.question, chunk)
            span = next(q.span for q in own if q.text == probe.question)
            if also := cue_probe(fact, span, told, trained, chooser):
                second.append((chunk["id"], also))
        else:
            unasked.append((chunk, fact))
        answer = dated(_said_back(fact.statement, chunk), chunk)
        source = f"{_whose(chunk, fact.language) if chunk['writer'] else ''}{chunk['text']}"
        if chunk["kind"] != "text" or supported(answer, source):
            for text in (*built.values(), *(q.text for q in rest)):
                said = answers.get((index, text)) or answer
                if own_wording := asked.of_its_own(text, chunk):
                    samples.append((chunk["id"], Sample("question", own_wording, said)))
                    asked.add(own_wording, chunk)
        if rest and index % FACTS_PER_ABSENT == 0 and fact.language == ENGLISH:
            absent = absent_question(rest[0].text, strangers, chooser)
            if absent:
                samples.append((chunk["id"], Sample("absent", absent, NOT_IN_NOTES)))
        for sample in deterministic_samples(fact, told, chooser):
            whole = dated(sample.answer, chunk) if sample.kind == "cue" else sample.answer
            samples.append((chunk["id"], replace(sample, answer=whole)))
    if 3 * len(probes) < len(facts):
        for chunk, fact in unasked:
            told = chunk["kind"] == "told"
            probes.append((chunk["id"], cloze_probe(fact, told)))
            if also := cue_probe(fact, fact.spans[-1], told, trained, chooser):
                second.append((chunk["id"], also))
    for kind, made in (("contrast", contrasts(facts)), ("premise", premises(facts))):
        samples += [
            (chunk_id, Sample(kind, prompt, answer, second_id))
            for chunk_id, second_id, prompt, answer in made
        ]
    samples += [(chunk["id"], settled_sample(chunk)) for chunk in group if is_settled(chunk)]
    for chunk in group:
        if chunk["learn"] == "voice":
            continue
        if chunk["kind"] == "asked" and (pair := asked_pair(chunk, asked)):
            samples.append((chunk["id"], Sample("asked", *pair)))
        samples += [(chunk["id"], Sample("decided", *pair)) for pair in decided_pairs(chunk, asked)]
        of_chunk = [fact for one, fact in facts if one["id"] == chunk["id"]]
        if pair := told_pair(chunk, of_chunk, asked):
            samples.append((chunk["id"], Sample("told", *pair)))
    samples = [one for one in samples if one[0] in there]
    for wording, some in (("question", probes), ("cue", second)):
        for chunk_id, probe in some:
            if chunk_id not in there:
                continue
            store.db.execute(
                "INSERT OR IGNORE INTO probes (chunk_id, question, gold, span_kind, wording)"
                " VALUES (?, ?, ?, ?, ?)",
                [chunk_id, probe.question, probe.gold, probe.span_kind, wording],
            )
    # What a user asked some night may be what a probe asks now.
    _drop_samples(store, {normalise(probe.question) for _, probe in probes}, LOGGED)
    keep_samples(store, base.digest, samples)
    known.add(samples, of_group)
    for number in sorted(there):
        store.db.execute("INSERT OR IGNORE INTO studied VALUES (?, ?)", [number, base.digest])


def _own_answers(
    store: Store,
    base: Base,
    facts: list[tuple[Record, Fact]],
    questions: list[Question],
    plain: list[dict[str, str]],
) -> Answers:
    """What a base that reads well says to the questions about texts, by fact and question; None where it was asked for
    something else."""
    if not reads_well(store, base):
        return {}
    asked = [(q.fact, q.text) for q in questions]
    asked += [(index, text) for index, built in enumerate(plain) for text in built.values()]
    asked = [
        (index, text)
        for index, text in asked
        if facts[index][0]["kind"] == "text"
        and not _is_anothers(facts[index][1].statement, facts[index][0])
    ]
    said = own_words(base, [(*facts[index], text) for index, text in asked])
    return dict(zip(asked, said, strict=True))


def _plain(fact: Fact, chunk: Record) -> dict[str, str]:
    """What can be asked of a fact by the build of its sentence, by its normalised wording."""
    if fact.language != ENGLISH or _is_anothers(fact.statement, chunk):
        return {}  # what somebody else says of "my brother" is not asked by the user
    names = inner_names(chunk["text"])
    return {normalise(text): text for text in plain_questions(fact.statement, names)}


def _said_back(text: str, chunk: Record) -> str:
    """What a chunk says, as it is said to the owner of the store."""
    return spoken_to(text, chunk["language"]) if chunk["kind"] == "told" else text


def is_settled(chunk: Record) -> bool:
    """Whether a chunk is a question with the answer that the user holds to be right (`notes.settle`)."""
    heading = chunk["heading"]
    return bool(chunk["path"].startswith("note:") and heading and chunk["text"].startswith(heading))


def settled_sample(chunk: Record) -> Sample:
    question = chunk["heading"]
    return Sample("question", question, chunk["text"].removeprefix(question).strip())


def _live(store: Store, chunk_ids: Collection[int]) -> set[int]:
    """Those of some chunks that are in the store."""
    found = store.rows(f"SELECT id FROM chunks WHERE id IN ({marks(chunk_ids)})", *chunk_ids)
    return {row["id"] for row in found}


def studied_ids(store: Store, base: Base) -> set[int]:
    return {
        row["chunk_id"]
        for row in store.rows("SELECT chunk_id FROM studied WHERE base_digest = ?", base.digest)
    }


def _general(store: Store, base: Base, prompts: list[str]) -> list[Record]:
    return store.rows(
        "SELECT id, kind, prompt, answer FROM samples WHERE chunk_id IS NULL AND base_digest = ?"
        f" AND prompt IN ({marks(prompts)}) ORDER BY id",
        base.digest,
        *prompts,
    )
