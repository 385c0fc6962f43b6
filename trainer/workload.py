"""How much there is to train, and how much of it a night has time for."""

import math
from collections.abc import Collection
from contextlib import suppress

from ..memory.errors import LearnctlError
from ..memory.store import Record, Store, batches, marks
from .base import kind_of_device
from .gate import SCALES
from .models import EMBEDDED, find
from .open_book import SHARE as OPEN_SHARE
from .options import AUTO, Options
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
# Of what is left of a budget once all is studied, what training may take with all that is rehearsed.
FILLED_SHARE = 0.7
# What the closing measurements may cost over the opening ones, and one for each further try at less strength.
CLOSING_FACTOR = 1.6
ASSUMED_SPEED = 150.0  # tokens a second, where none was measured yet
# Runs on a base and a device as `_alike` says: others are faster or slower by orders of magnitude. Earlier ones do not name their device.
ALIKE = "base_name = coalesce(?, base_name) AND coalesce(report ->> 'device' = ?, TRUE)"


def words_a_night(store: Store, options: Options) -> tuple[float, bool]:
    """How many words of what is new a night of `night_minutes` can teach, at the pace of the last one; whether that was measured."""
    speed = last_speed(store, options)
    n_tokens = 60 * options.night_minutes * TRAIN_SHARE * (speed or ASSUMED_SPEED)
    tokens_per_fact = _rows_per_fact(options) * tokens_per_row(options)
    return n_tokens / tokens_per_fact * WORDS_PER_FACT, bool(speed)


def expected_epochs(n_rows: int, options: Options, as_many_as_help: bool = False) -> int:
    """How many epochs a night of so many rows is likely to have, or at most."""
    steps_each = n_rows * TOKENS_PER_ROW / options.pack_tokens / options.packs_per_step
    return n_epochs(options, steps_each, as_many_as_help)


def general_beside(n_facts: int, options: Options) -> int:
    """How many rows of the base's own an epoch has beside so many samples that teach."""
    own = own_beside(n_facts, options)
    return options.general_rows + own + anchors_beside(n_facts, options)


def likely_epochs(
    store: Store, n_new: int, n_known: int, options: Options, left_s: float | None
) -> int:
    """How many epochs a night of so many new samples, beside their share of so many earlier ones, is likely to have in the time that is
    left; None where it has no budget."""
    n_facts = n_new + min(n_known, replay_beside(n_new, options))
    n_rows = n_facts + general_beside(n_facts, options)
    least = expected_epochs(n_rows, options)
    if left_s is None:
        return least
    most = expected_epochs(n_rows, options, as_many_as_help=True)
    return min(most, max(least, epochs_within(store, options, left_s, n_rows * TOKENS_PER_ROW)))


def epochs_within(store: Store, options: Options, left_s: float, n_tokens: int) -> int:
    """How many epochs of so many tokens there may be time for, even at twice the pace of the last night."""
    speed = last_speed(store, options)
    return math.ceil(2 * left_s * speed / max(1, n_tokens)) if speed else MOST_EPOCHS


def replayed_each(
    store: Store, n_new: int, n_known: int, options: Options, left_s: float | None, epochs: int
) -> int:
    """How many of so many samples of earlier nights each of so many epochs has beside the new ones.

    Without a budget they are `replay_of_known` of them, as far as a night of `night_minutes` has time for that at the pace of the last one;
    with a budget, all that it has time for. They are no fewer than their share of what teaches.
    """
    least = replay_beside(n_new, options)
    if not (options.replay_share and options.replay_of_known):
        return least
    wanted = n_known
    if left_s is None:
        wanted = math.ceil(options.replay_of_known * n_known)
        left_s = 60.0 * options.night_minutes
    return max(least, min(wanted, _timely(store, n_new, options, left_s, epochs)))


def _timely(store: Store, n_new: int, options: Options, left_s: float, epochs: int) -> int:
    """How many samples beside the new ones each of so many epochs has time for."""
    around_s = 0.0
    if last := last_around(store, options):
        opening_s = last["opening_s"]
        around_s = max(last["measuring_s"], opening_s + kept_free_s(opening_s))
    train_s = min(FILLED_SHARE * left_s, left_s - around_s)
    n_tokens = train_s * (last_speed(store, options) or ASSUMED_SPEED)
    # One epoch must come to its end also at a third of that pace, for a night that does not come through it publishes nothing.
    return int(n_tokens / tokens_per_row(options, max(epochs, 3))) - n_new


def fits_a_night(store: Store, options: Options, chunk_ids: Collection[int]) -> bool:
    """Whether a slow pass over what was made of some chunks takes no longer than `night_minutes`, at the last night's pace."""
    n_samples = sum(
        int(store.value(f"SELECT count(*) FROM samples WHERE chunk_id IN ({marks(some)})", *some))
        for some in batches(chunk_ids)
    )
    n_tokens = n_samples * tokens_per_row(options, MOST_EPOCHS)
    speed = last_speed(store, options) or ASSUMED_SPEED
    return n_tokens <= TRAIN_SHARE * 60 * options.night_minutes * speed


def kept_free_s(measured_s: float) -> float:
    """What a night with a budget keeps free for its closing measurements, where the opening ones took so long."""
    return (CLOSING_FACTOR + len(SCALES) - 1) * measured_s + 3.0


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


def about_samples(chunks: list[Record], options: Options) -> float:
    """About how many samples some chunks give: what has no facts may still be a question, or teach a voice."""
    n_facts = sum(len(facts_of(chunk)) for chunk in chunks)
    kinds = options.kinds.split(",")
    others = sum(
        ("asked" in kinds and chunk["kind"] == "asked") or ("voice" in kinds and has_voice(chunk))
        for chunk in chunks
    )
    return float(n_facts * _rows_per_fact(options) + others)


def tokens_per_row(options: Options, epochs: float | None = None) -> float:
    """In so many epochs, or in as many as there are without a budget, with what the base rehearses of its own beside it."""
    own = options.own_share if options.general_rows else 0.0
    return (1 + own) * (epochs or n_epochs(options, math.inf)) * TOKENS_PER_ROW


def last_speed(store: Store, options: Options) -> float | None:
    """Tokens a second of the last run that was measured on this store, on the base and the kind of device that the options choose."""
    found = store.value(
        f"SELECT report ->> 'tokens_per_s' FROM runs WHERE report ->> 'tokens_per_s' IS NOT NULL AND {ALIKE}"
        " ORDER BY id DESC LIMIT 1",
        *_alike(options),
    )
    return float(found) if found else None


def last_around(store: Store, options: Options) -> Record | None:
    """What the last night on that base and kind of device took beside its training, and of that its opening measurements, in seconds, and
    the new samples that it studied. A night that went on with the training of an earlier one is shorter than all of it, and a general suite
    is for slow passes alone."""
    return store.row(
        "SELECT coalesce(report ->> 'study_s', 0.0) AS study_s, report ->> '$.samples.new' AS n_new,"
        " coalesce(measured_s, 0.0) AS opening_s,"
        " max(0.0, (report ->> 'elapsed_s') - (report ->> 'train_s') - coalesce(report ->> 'study_s', 0.0)"
        " - coalesce(report ->> 'suite_s', 0.0)) AS measuring_s"
        f" FROM runs WHERE report ->> 'train_s' > 0 AND {ALIKE} ORDER BY id DESC LIMIT 1",
        *_alike(options),
    )


def _alike(options: Options) -> tuple[str | None, ...]:
    """What a run must have been on to tell of the next one, for `ALIKE`; None for what is not known here."""
    name: str | None = None
    with suppress(LearnctlError):  # it is not on this machine
        name = EMBEDDED if options.base == AUTO else find(options.base).name
    return name, kind_of_device(options.device)
