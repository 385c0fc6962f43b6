"""About what a night costs, and what it can teach in its time."""

import math

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service, learned_chunks, take_up_again
from ..memory.store import Record, Store
from . import base as bases
from . import models
from .choice import Choice, choose, tokens_of
from .open_book import SHARE as OPEN_SHARE
from .options import Options
from .rows import MOST_EPOCHS, anchors_beside, n_epochs, own_beside, replay_beside
from .synthesize import BLANKS_PER_FACT, CUES_PER_FACT, facts_of, has_voice

# Of the questions wanted how many come of it, and how long a row is in the mean: one in seven has passages in view, some 200 tokens
# in two epochs of five; the others are 34.
KEPT_SHARE = 0.75
TOKENS_PER_ROW = 42
PLAIN_PER_FACT = 1  # questions by the build of a sentence
WORDS_PER_FACT = 13
# Of a budget, what training may take, and of that, what one source of others' texts may.
TRAIN_SHARE = 0.4
OTHERS_SHARE = 0.5
ASSUMED_SPEED = 150.0  # tokens a second, where none was measured yet
ASSUMED_WHOLE = 2.0  # times what training takes, with study and measuring


def plan(store: Store, options: Options, budget_s: float | None = None) -> Record:
    """What `consolidate` would train and about what it would cost; loads no model.

    `later` are the chunks that a budget leaves for other nights; `estimated_s` is the whole night's time.
    """
    take_up_again(store, options.pack_tokens)
    choice = choose(store, options.fast, _digest(options) if in_service(store) else None)
    if choice is None:
        return {
            "sources": [],
            "chunks": 0,
            "later": 0,
            "facts": 0,
            "new_tokens": 0,
            "samples": {"new": 0, "replay": 0, "general": 0},
            "n_tokens": 0,
            "estimated_s": 0.0,
            "level": None,
            "base": options.base,
        }

    chunks = affordable(store, choice, options, budget_s)
    n_taught = sum(len(facts_of(chunk)) for chunk in chunks)
    n_new = round(_n_rows(chunks, options))
    n_known = len(learned_chunks(store, choice.parent))
    n_replay = replay_beside(n_new, options) if n_known else 0
    n_facts = n_new + n_replay
    n_general = (
        options.general_rows + own_beside(n_facts, options) + anchors_beside(n_facts, options)
    )
    n_rows = n_new + n_replay + n_general
    is_anew = choice.level == "slow" and choice.replaces > 0
    epochs = expected_epochs(n_rows, options, budget_s is not None or is_anew)
    n_tokens = n_rows * TOKENS_PER_ROW * epochs
    train_s = n_tokens / (_last_speed(store) or ASSUMED_SPEED)
    estimated_s = train_s + _around_training_s(store, n_new, train_s)
    if budget_s is not None and estimated_s > budget_s:
        # What does not fit is trained fewer times.
        n_tokens, estimated_s = int(n_tokens * budget_s / estimated_s), budget_s
    return {
        "sources": list(dict.fromkeys(chunk["path"] for chunk in chunks)),
        "chunks": len(chunks),
        "later": len(choice.chunks) - len(chunks),
        "facts": n_taught,
        "new_tokens": tokens_of(chunks),
        "samples": {"new": n_new, "replay": n_replay, "general": n_general},
        "n_tokens": n_tokens,
        "estimated_s": round(estimated_s, 1),
        "level": choice.level,
        "base": options.base,
    }


def _digest(options: Options) -> str | None:
    """The digest of the base that a night would train on; None where it is not on this machine."""
    try:
        return models.digest(bases.find(options.base, bases.choose_device(options.device)))
    except LearnctlError:
        return None


def affordable(
    store: Store, choice: Choice, options: Options, left_s: float | None
) -> list[Record]:
    """Of what is new as many chunks from the front as the time that is left can teach well; the rest stays new. No source that is not
    the person's own fills more than `OTHERS_SHARE` of a night, even where nothing else waits.

    A slow pass takes all that is known already as well, for what it left out would be lost; where that fills its night, it goes on in
    the next.
    """
    if left_s is None:
        return choice.chunks
    held = learned_chunks(store, choice.replaces)
    known = [chunk for chunk in choice.chunks if chunk["id"] in held]
    room = TRAIN_SHARE * left_s * (_last_speed(store) or ASSUMED_SPEED)
    most_of_others = OTHERS_SHARE * room
    of_others: dict[int, float] = {}
    new: list[Record] = []
    for chunk in choice.chunks:
        if chunk["id"] in held:
            continue
        n_tokens = _n_rows([chunk], options) * _tokens_per_row(options)
        if chunk["trust"] != "own":
            taken = of_others.get(chunk["source_id"], 0.0)
            if taken and taken + n_tokens > most_of_others:
                continue
            of_others[chunk["source_id"]] = taken + n_tokens
        room -= n_tokens
        if room < 0 and new:
            break
        new.append(chunk)
    return known + new


def words_a_night(store: Store, options: Options) -> tuple[float, bool]:
    """How many words of what is new a night of `night_minutes` can teach, at the pace of the last one; whether there was one."""
    speed = _last_speed(store)
    n_tokens = 60 * options.night_minutes * TRAIN_SHARE * (speed or ASSUMED_SPEED)
    tokens_per_fact = _rows_per_fact(options) * _tokens_per_row(options)
    return n_tokens / tokens_per_fact * WORDS_PER_FACT, bool(speed)


def expected_epochs(n_rows: int, options: Options, as_many_as_help: bool = False) -> int:
    """How many epochs a night of so many rows is likely to have, or at most."""
    steps_each = n_rows * TOKENS_PER_ROW / options.pack_tokens / options.packs_per_step
    return n_epochs(options, steps_each, as_many_as_help)


def likely_epochs(store: Store, n_rows: int, options: Options, left_s: float | None) -> int:
    """How many epochs a night of so many rows is likely to have in the time that is left; None where it has no budget."""
    least = expected_epochs(n_rows, options)
    if left_s is None:
        return least
    most = expected_epochs(n_rows, options, as_many_as_help=True)
    return min(most, max(least, epochs_within(store, left_s, n_rows * TOKENS_PER_ROW)))


def _rows_per_fact(options: Options) -> float:
    of_kind = {
        "question": PLAIN_PER_FACT + options.questions_per_fact * KEPT_SHARE,
        "cue": CUES_PER_FACT,
        "complete": 1,
        "blank": BLANKS_PER_FACT,
    }
    kinds = options.kinds.split(",")
    n_rows = sum(n for kind, n in of_kind.items() if kind in kinds) or 1.0
    return n_rows / (1 - OPEN_SHARE) if "open" in kinds else n_rows


def _n_rows(chunks: list[Record], options: Options) -> float:
    """About how many samples some chunks give: what has no facts may still be a question, or teach a voice."""
    n_facts = sum(len(facts_of(chunk)) for chunk in chunks)
    others = sum(chunk["kind"] == "asked" or has_voice(chunk) for chunk in chunks)
    return float(n_facts * _rows_per_fact(options) + others)


def _tokens_per_row(options: Options) -> float:
    """In all epochs, with what the base rehearses of its own beside it."""
    own = options.own_share if options.general_rows else 0.0
    return (1 + own) * n_epochs(options, math.inf) * TOKENS_PER_ROW


def _last_speed(store: Store) -> float | None:
    """Tokens a second of the last run that was measured on this store."""
    found = store.value(
        "SELECT report ->> 'tokens_per_s' FROM runs WHERE report ->> 'tokens_per_s' IS NOT NULL"
        " ORDER BY id DESC LIMIT 1"
    )
    return float(found) if found else None


def _around_training_s(store: Store, n_new: int, train_s: float) -> float:
    """What study, measuring and the gate take with so many new samples, however often these are trained: by the sample as
    long as in the last night, else as long as the training."""
    found = store.row(
        "SELECT (report ->> 'elapsed_s') - (report ->> 'train_s') AS around_s,"
        " report ->> '$.samples.new' AS n_new FROM runs"
        " WHERE report ->> 'train_s' > 0 ORDER BY id DESC LIMIT 1"
    )
    if not (found and found["n_new"]):
        return train_s * (ASSUMED_WHOLE - 1)
    # A night that went on with the training of an earlier one is shorter than all of it.
    return n_new * max(0.0, float(found["around_s"])) / int(found["n_new"])


def epochs_within(store: Store, left_s: float, n_tokens: int) -> int:
    """How many epochs of so many tokens there may be time for, even at twice the pace of the last night."""
    speed = _last_speed(store)
    return math.ceil(2 * left_s * speed / max(1, n_tokens)) if speed else MOST_EPOCHS
