"""What a run is asked before and after it has trained: probes of what it brings and of what is known.

Before is what the version in service answers. Every answer is kept in the store: a run that was stopped does
not ask again, and what a version once answered can be looked up when it cannot be asked any more.
"""

from typing import Any, TypeVar

from ..memory.lineage import is_of_another_base, learned_chunks, taught_chunks
from ..memory.store import Record, Store
from . import adapter, evaluate, registry
from .association import Association, compare, told_apart, trials
from .base import Base
from .evaluate import Answered
from .options import Options

T = TypeVar("T")

# So many of the new probes are asked in other forms too.
FORM_PROBES = 6
# So many of the new ones, where they are few in both wordings, are set beside statements of other facts.
TRIALS = 24


class Examination:
    """The probes of one run.

    Args:
        run: it names the version that it is to replace, which is asked before.
        options: those of the run.
    """

    def __init__(self, store: Store, base: Base, run: Record, options: Options) -> None:
        most = options.probes_per_run
        self._store = store
        self._base = base
        self._run = run
        known = learned_chunks(store, run["replaces"])
        brought = taught_chunks(store, run["id"]) - known
        both = store.rows("SELECT * FROM probes ORDER BY id")
        of_old = [probe for probe in both if probe["chunk_id"] in known]
        of_new = [probe for probe in both if probe["chunk_id"] in brought]
        # Whether the version in service answers on another base than that of the run.
        self._serves_elsewhere = is_of_another_base(store, run["replaces"], run["base_digest"])
        if self._serves_elsewhere:
            answered = last_answers(store, run["replaces"])
            of_old = [probe for probe in of_old if probe["id"] in answered]
        self.new = spread([probe for probe in of_new if is_first(probe)], most)
        self.old = spread([probe for probe in of_old if is_first(probe)], most)
        # Few facts in one wording are too few to tell forgetting from chance.
        again = [probe for probe in of_old if not is_first(probe)]
        self.old += spread(again, most - len(self.old))
        first = spread(self.new, TRIALS)
        again = [probe for probe in of_new if not is_first(probe)]
        tried = [*first, *spread(again, TRIALS - len(first))]
        self._trials = trials(store, tried, options.seed)
        self._n_nodes = options.pack_tokens

    @property
    def probes(self) -> list[Record]:
        return [*self.new, *self.old]

    def before(self) -> list[Answered]:
        """What the version in service answers; no adapter may be on the base."""
        kept = {
            row["probe_id"]: row
            for row in self._store.rows(
                "SELECT probe_id, answer, correct FROM evaluations"
                " WHERE run_id = ? AND stage = 'before'",
                self._run["id"],
            )
        }
        if not all(probe["id"] in kept for probe in self.probes):
            answers = self._ask_before()
            self.keep("before", answers)
            return answers
        return [_answered(probe, kept) for probe in self.probes]

    def _ask_before(self) -> list[Answered]:
        base, version = self._base, self._run["replaces"]
        if self._serves_elsewhere:
            # It cannot be asked on this base: what it said last on its own counts.
            said = last_answers(self._store, version)
            untaught = evaluate.ask_probes(base, base.model, self.new)
            return untaught + [_answered(probe, said) for probe in self.old]
        if not version:
            return evaluate.ask_probes(base, base.model, self.probes)
        model = adapter.load_adapter(base, registry.weights_folder(self._store, version))
        answers = evaluate.ask_probes(base, model, self.probes)
        base.model = adapter.remove_adapter(model)
        return answers

    def after(self, model: Any) -> list[Answered]:
        """What a trained model answers; it may be asked at more than one strength, so nothing is kept."""
        return evaluate.ask_probes(self._base, model, self.probes)

    def told_apart(self, model: Any) -> list[list[bool]]:
        """Which of the new statements a model tells from the one that answers; see `association`."""
        return told_apart(self._base, model, self._trials, self._n_nodes)

    def association(self, before: list[list[bool]], model: Any) -> Association | None:
        """The same before, by the untouched base, and after."""
        return compare(self._trials, before, self.told_apart(model))

    def ask_again(self, model: Any, answers: list[Answered]) -> list[Answered]:
        """What was answered rightly, in the other wording: two right ones make a fact known."""
        right = {(one.probe["chunk_id"], one.probe["gold"]) for one in answers if one.correct}
        again = [
            probe
            for probe in self._store.rows("SELECT * FROM probes WHERE wording = 'cue' ORDER BY id")
            if (probe["chunk_id"], probe["gold"]) in right
        ]
        answered = evaluate.ask_probes(self._base, model, again)
        self.keep("after", answered)
        return answered

    def in_other_forms(self, model: Any) -> Record:
        """The share right of some new probes as a third turn, and under a system prompt."""
        some = self.new[:FORM_PROBES]
        found: Record = {}
        for form in evaluate.FORMS[1:]:
            answers = evaluate.ask_probes(self._base, model, some, form) if some else []
            self.keep("after", answers)
            found[form] = evaluate.recall(answers)
        return {**found, "n": len(some)}

    def keep(self, stage: str, answers: list[Answered]) -> None:
        """Keep what was answered.

        Raises:
            Overtaken: what the run learned from was forgotten meanwhile, and must not be recited from the store.
        """
        with self._store.db.atomic():
            if reason := registry.why_overtaken(self._store, self._run):
                raise registry.Overtaken(reason)
            # A probe may have been forgotten while it was asked.
            live = {row["id"] for row in self._store.rows("SELECT id FROM probes")}
            for one in answers:
                place = [self._run["id"], one.probe["id"], stage, one.form]
                self._store.db.execute(
                    "DELETE FROM evaluations WHERE run_id = ? AND probe_id = ? AND stage = ?"
                    " AND form = ?",
                    place,
                )
                if one.probe["id"] in live:
                    self._store.db.execute(
                        "INSERT INTO evaluations (run_id, probe_id, stage, form, correct, answer)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
                        [*place, int(one.correct), one.answer],
                    )


def last_answers(store: Store, version: int) -> dict[int, Record]:
    """What a version answered last, by probe, asked directly on its own base: after its own run, or before a
    later one."""
    found = store.rows(
        "SELECT e.probe_id, e.answer, e.correct FROM adapters a"
        " JOIN runs r ON r.id = a.run_id OR (r.replaces = a.version AND r.base_digest = a.base_digest)"
        " JOIN evaluations e ON e.run_id = r.id AND e.form = 'direct'"
        "  AND e.stage = iif(r.id = a.run_id, 'after', 'before')"
        " WHERE a.version = ? ORDER BY e.id",
        version,
    )
    return {row["probe_id"]: row for row in found}


def is_first(probe: Record) -> bool:
    """Whether it is a fact's first wording, which shares are counted over."""
    return bool(probe["wording"] == "question")


def spread(some: list[T], most: int) -> list[T]:
    """At most so many, evenly over their order: that of probes is of making, hence of sources."""
    if len(some) <= most:
        return some
    return [some[index * len(some) // most] for index in range(most)]


def _answered(probe: Record, said: dict[int, Record]) -> Answered:
    one = said[probe["id"]]
    return Answered(probe, "direct", one["answer"], bool(one["correct"]))
