"""About what a night costs, and what it can teach in its time."""

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service, is_of_another_base, learned_chunks, take_up_again
from ..memory.replay import n_rehearsable
from ..memory.store import Record, Store
from . import base as bases
from . import models
from .choice import Choice, choose, tokens_of
from .options import Options
from .rows import rehearsed_kinds
from .synthesize import facts_of
from .workload import (
    ASSUMED_SPEED,
    OTHERS_SHARE,
    TOKENS_PER_ROW,
    TRAIN_SHARE,
    about_samples,
    expected_epochs,
    general_beside,
    last_around,
    last_speed,
    likely_epochs,
    replayed_each,
    tokens_per_row,
)

ASSUMED_WHOLE = 2.0  # times what training takes, with study and measuring


def plan(store: Store, options: Options, budget_s: float | None = None) -> Record:
    """What `consolidate` would train and about what it would cost; loads no model.

    `later` are the chunks that a budget leaves for other nights; `estimated_s` is the whole night's time; `why` it has its level.
    """
    take_up_again(store, options.pack_tokens)
    base = _named(options)
    digest = _digest(base) if in_service(store) else None
    choice = choose(store, options, digest)
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
            "why": "",
            "base": base,
        }

    chunks = affordable(store, choice, options, budget_s)
    n_taught = sum(len(facts_of(chunk)) for chunk in chunks)
    known = learned_chunks(store, choice.replaces)
    n_new = round(about_samples([c for c in chunks if c["id"] not in known], options))
    n_again = round(about_samples([c for c in chunks if c["id"] in known], options))
    n_samples = n_new + n_again
    n_known = 0
    if choice.parent:
        n_known = n_rehearsable(store, choice.parent, rehearsed_kinds(options))
    epochs = likely_epochs(store, n_samples, n_known, options, budget_s)
    n_each = replayed_each(store, n_samples, n_known, options, budget_s, epochs)
    n_replay = n_again + min(n_known, n_each)
    n_general = general_beside(n_new + n_replay, options)
    n_rows = n_new + n_replay + n_general
    if budget_s is not None or (choice.level == "slow" and choice.replaces):
        epochs = expected_epochs(n_rows, options, as_many_as_help=True)
    n_tokens = n_rows * TOKENS_PER_ROW * epochs
    train_s = n_tokens / (last_speed(store, options) or ASSUMED_SPEED)
    moves = digest and is_of_another_base(store, choice.replaces, digest)
    n_to_study = n_new + n_again if moves else n_new
    estimated_s = train_s + _around_training_s(store, options, n_to_study, train_s)
    if budget_s is not None and estimated_s > budget_s:
        # What does not fit is trained fewer times, or over several nights.
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
        "why": choice.reason,
        "base": base,
    }


def _named(options: Options) -> str:
    """The base that a night would train on; as the settings call it, where their device is not there."""
    try:
        return bases.named(options.base, bases.choose_device(options.device))
    except LearnctlError:
        return options.base


def _digest(base: str) -> str | None:
    """Its digest; None where it is not on this machine."""
    try:
        return models.digest(models.find(base))
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
    room = TRAIN_SHARE * left_s * (last_speed(store, options) or ASSUMED_SPEED)
    most_of_others = OTHERS_SHARE * room
    of_others: dict[int, float] = {}
    new: list[Record] = []
    for chunk in choice.chunks:
        if chunk["id"] in held:
            continue
        n_tokens = about_samples([chunk], options) * tokens_per_row(options)
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


def _around_training_s(store: Store, options: Options, n_to_study: int, train_s: float) -> float:
    """What study, measuring and the gate take: measuring as long as in the last night, and study so by the sample; where nothing was
    measured yet, as long as the training."""
    last = last_around(store, options)
    if last is None or not last["n_new"]:
        return train_s * (ASSUMED_WHOLE - 1)
    return float(last["measuring_s"] + last["study_s"] * n_to_study / last["n_new"])
