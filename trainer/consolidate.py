"""One night: from what is new in the store to a version in service, or a reason why not.

`consolidate` reads top to bottom: choose, study, measure, train, measure again, judge, publish. Every
stage leaves what it made in the store or in the run's folder, so a run that was stopped goes on where it
was, to the same result.
"""

import json
import math
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import filelock

from ..memory.errors import LearnctlError, Locked
from ..memory.home import private_folder
from ..memory.lineage import (
    fits_no_pack,
    in_service,
    is_of_another_base,
    learned_chunks,
    often_refused,
    places,
    set_aside,
    studied_chunks,
    take_up_again,
    taught_chunks,
)
from ..memory.replay import (
    SINCE,
    by_turn_and_surprise,
    choose_replay,
    n_by_surprise,
    n_rehearsable,
    pool_of,
)
from ..memory.search import telling_words
from ..memory.store import Record, Store, batches, marks, now, to_json
from . import (
    adapter,
    drift,
    evaluate,
    gate,
    judged,
    levels,
    reading,
    registry,
    retention,
    unfinished,
    warm,
)
from . import base as bases
from .absent import find_strangers
from .base import Base
from .choice import Choice, choose
from .costs import affordable
from .distil import teach
from .evaluate import Answered
from .examination import Examination, is_first, spread
from .faults import faults_of_the_system
from .intervals import rounded
from .learning_rate import learning_rate
from .lessons import softened
from .options import AUTO, Options
from .own_prompts import MOST, own_samples
from .pack import Row, n_nodes_of, pack
from .progress import OnProgress, Progress, silent
from .rows import (
    GENERAL_ROUNDS,
    MOST_EPOCHS,
    REPLAYED,
    Material,
    anchors_beside,
    epoch_rows,
    general_rows,
    n_epochs,
    own_beside,
    plain_row,
    rehearsed_kinds,
    replay_beside,
    too_long,
    without_turn,
)
from .stop import Interrupted, StopSignals
from .synthesize import (
    general_samples,
    held_out,
    studied_ids,
    study_chunks,
)
from .train import TrainReport, row_losses, saved_packs, saved_step, train
from .workload import (
    epochs_within,
    kept_free_s,
    last_speed,
    likely_epochs,
    replayed_each,
)

# Of a budget, what study may take, and of the rest what the base's own prompts may.
STUDY_SHARE = 0.25
OWN_SHARE = 0.1
LOOK_S = 2.0
REFUSALS = 3
# On so many of the new probes it is measured how far a night moves where it is meant to.
NEW_LOOKS = 16
# Why a run trains on a general sample that shows who the base is, or what it declines.
ANCHOR = "refusal or identity"
# Or that the base asked itself.
OWN = "its own prompt"


def consolidate(
    store: Store,
    options: Options,
    budget_s: float | None = None,
    on_progress: OnProgress = silent,
    on_step: Callable[[int], None] = lambda step: None,
    unmet: Callable[[], str] = lambda: "",
) -> Record:
    """Train on what is new, examine the result, and put it in service if it passes.

    Args:
        budget_s: seconds in which a version must be trained, examined and in service.
        on_step: called after every optimizer step with its number.
        unmet: asked between two steps; a reason to stop, or nothing. The next run goes on there.

    Returns:
        The report, as `learnctl consolidate --json` prints it.

    Raises:
        Locked: another run is at work on this store.
        LearnctlError: the base cannot be used, the disk is full, or training went wrong. What was in
            service stays; after a full disk the next run goes on, else it begins anew.
    """
    began = time.monotonic()
    with (
        _lock(store),
        unfinished.counting_kills(store),
        faults_of_the_system(),
        StopSignals(unmet) as stop,
    ):
        warm.give_way(store.home)
        run = unfinished.find(store)
        registry.sweep(store)
        if run is None and not studied_chunks(store):
            return _nothing(store)
        on_progress(Progress("load", 0, 0))
        try:
            with stop.at_once():
                base = bases.load(options.base, options.quantize, options.device)
            if options.base == "auto":
                bases.settle(store.home, base.name, base.device)
            take_up_again(store, options.pack_tokens)
            night = _Night(store, base, options, budget_s, began, stop, on_progress, on_step)
            if run:
                run = night.take_up(run)
            # What became of that run may change what is next.
            choice = choose(store, options, base.digest)
            with unfinished.closed_by_a_fault(store), stop.watching(base.model):
                if run is None and choice:
                    run = night.prepare(choice)
                if run is None:
                    return _nothing(store)
                with unfinished.ending_where_dropped(store, run):
                    return night.train_and_judge(run)
        except Interrupted as error:
            reason = f"{str(error) or stop.reason}: the next run goes on from here"
            return _ended(store, began, "paused", reason) | {"gave_way": bool(str(error))}
        except registry.Overtaken as error:
            registry.drop_unfinished(store)
            return _ended(store, began, "refused", str(error))


class _Night:
    """One run's material: the store, the base, the clock, and whom to tell."""

    def __init__(
        self,
        store: Store,
        base: Base,
        options: Options,
        budget_s: float | None,
        began: float,
        stop: StopSignals,
        on_progress: OnProgress,
        on_step: Callable[[int], None],
    ) -> None:
        self.store = store
        self.base = base
        # A run names the rate that it is trained with.
        self.options = replace(options, learning_rate=learning_rate(base, options))
        self.began = began
        self.study_s = 0.0
        self.deadline = began + budget_s if budget_s else None
        self.stop = stop
        self.on_progress = on_progress
        self.on_step = on_step

    def take_up(self, run: Record) -> Record | None:
        """The run that was stopped, where it can go on; None where it was dropped."""
        options = self._seeded()
        reason = unfinished.why_not(self.store, run, self.base, options)
        n_tries = unfinished.n_tries(self.store, run)
        if not reason and n_tries < unfinished.MOST_TRIES:
            return unfinished.take_up(self.store, run, options)
        if reason:
            if _is_anew(run) and registry.why_overtaken(self.store, run):
                self.store.set_setting(registry.OVERTAKEN_AT, now())
            registry.drop_unfinished(self.store)
        else:
            reason = f"it was taken up {n_tries} times and killed each time before it had trained any further"
            unfinished.fail(self.store, reason)
        self.on_progress(Progress("drop", 0, 0, note=f"run {run['id']}, not finished: {reason}"))
        return None

    def _seeded(self) -> Options:
        """The options of this night's run: the same seed would lead to the same refusal."""
        return replace(self.options, seed=self.options.seed + _refusals(self.store))

    def prepare(self, choice: Choice) -> Record | None:
        """Study what was chosen and fix the rows of the run. None where nothing came of it."""
        store, base, options = self.store, self.base, self.options
        known = learned_chunks(store, choice.replaces)
        # What serves on another base is replaced by what knows as much, however many nights it takes to study that.
        moves = is_of_another_base(store, choice.replaces, base.digest)
        began = time.monotonic()
        study_end = None
        if self.deadline:
            study_end = began + (1.0 if moves else STUDY_SHARE) * (self.deadline - began)

        def out_of_time() -> bool:
            self.stop.check()
            return study_end is not None and time.monotonic() > study_end

        def tell(done: int, total: int) -> None:
            self.on_progress(Progress("study", done, total))

        left_s = None
        if self.deadline:
            left_s = self.deadline - time.monotonic()
            asking_s = retention.expected_s(store, base, options, choice.level)
            left_s -= asking_s if retention.fits(asking_s, left_s) else 0.0
        chunks = affordable(store, choice, options, left_s)
        if moves:
            chunks = sorted(chunks, key=lambda chunk: chunk["id"] not in known)
        tell(0, len(chunks))
        had = studied_ids(store, base)
        study_chunks(
            store, base, chunks, options.questions_per_fact, options.seed, tell, out_of_time
        )
        self.study_s = time.monotonic() - began
        on_hand = {chunk["id"] for chunk in chunks} & studied_ids(store, base)
        if moves and self.deadline:
            wanted = {chunk["id"] for chunk in chunks} & known
            # What is left of a night that was spent on study is too short for what a run is made of.
            is_late = wanted - had and time.monotonic() > (began + self.deadline) / 2
            if wanted - on_hand or is_late:
                done = f"{len(wanted & on_hand)} of {len(wanted)}"
                raise Interrupted(f"studied {done} passages for the new base")
        kinds = options.kinds.split(",")
        samples = [
            sample
            for some in batches(sorted(on_hand))
            for sample in store.rows(
                "SELECT id, chunk_id, kind, prompt, answer FROM samples WHERE base_digest = ?"
                f" AND chunk_id IN ({marks(some)})",
                base.digest,
                *some,
            )
            if sample["kind"] in kinds
        ]
        samples.sort(key=lambda sample: int(sample["id"]))
        if not samples:
            if len(on_hand) < len(chunks) and out_of_time():
                raise Interrupted("its time was over before it had studied what it could train")
            return None
        made_of = {sample["chunk_id"] for sample in samples}
        samples = self._that_fit(samples)
        too_long_alone = made_of - {sample["chunk_id"] for sample in samples}
        if not samples:
            # So that the morning after tells of it, and of what is set aside.
            run = self._begin(choice, [], 0)
            set_aside(store, run["id"], too_long_alone, fits_no_pack(options.pack_tokens))
            raise LearnctlError(
                "there is no answer to learn from: all samples are longer than `pack_tokens`",
                hint="raise it: learnctl config set pack_tokens NUMBER",
            )
        left_s = self.deadline - time.monotonic() if self.deadline else None
        n_known = 0
        if choice.parent:
            n_known = n_rehearsable(store, choice.parent, rehearsed_kinds(options))
        epochs = likely_epochs(store, len(samples), n_known, options, left_s)
        n_replay = replayed_each(store, len(samples), n_known, options, left_s, epochs)
        go_round = max(n_replay, math.ceil(epochs / REPLAYED * n_replay))
        replay = self._replay(choice, on_hand, go_round)
        n_replay = min(n_replay, len(replay))
        general = general_samples(store, base, GENERAL_ROUNDS * options.general_rows)
        n_facts = len(samples) + n_replay
        n_own = own_beside(n_facts, options)
        own = self._own_prompts(min(MOST, epochs * n_own))
        n_anchors = GENERAL_ROUNDS * anchors_beside(n_facts, options)
        anchors = general_samples(store, base, n_anchors, "refusals_and_identity")
        self.stop.check()
        roles = [(s["id"], "replay", SINCE) if s["chunk_id"] in known else (s["id"], "new", "")
                 for s in samples]  # fmt: skip
        roles += [(s["id"], "replay", why) for s, why in replay]
        roles += [(s["id"], "general", "") for s in general]
        roles += [(s["id"], "general", OWN) for s in own]
        roles += [(s["id"], "general", ANCHOR) for s in anchors]
        run = self._begin(choice, roles, n_replay)
        set_aside(store, run["id"], too_long_alone, fits_no_pack(options.pack_tokens))
        return run

    def _that_fit(self, samples: list[Record]) -> list[Record]:
        """The samples that fit a pack: what is never trained on must not count as learned."""
        left_out = set(too_long(self.base, samples, self.options.pack_tokens))
        if left_out:
            note = f"{len(left_out)} samples are longer than `pack_tokens` and are not trained on"
            self.on_progress(Progress("rows", 0, 0, note=note))
        return [sample for sample in samples if sample["id"] not in left_out]

    def _own_prompts(self, n_wanted: int) -> list[Record]:
        """What the base asks itself. It is made once a base, so a budget lets it take a share of its own."""
        began = time.monotonic()
        end = began + OWN_SHARE * (self.deadline - began) if self.deadline else None

        def out_of_time() -> bool:
            self.stop.check()
            return end is not None and time.monotonic() > end

        found = own_samples(self.store, self.base, n_wanted, out_of_time)
        if len(found) < n_wanted:
            note = f"{len(found)} prompts of the base's own are rehearsed, not {n_wanted}"
            self.on_progress(Progress("rows", 0, 0, note=note))
        return found

    def _replay(
        self, choice: Choice, leave_out: set[int], n_samples: int
    ) -> list[tuple[Record, str]]:
        """What is rehearsed of what the weights below learned, and why each of it was taken."""
        if not (choice.parent and n_samples):
            return []
        seed = self.options.seed
        kinds = rehearsed_kinds(self.options)

        def fits(sample: Record) -> bool:
            """Packs may be shorter than when it was learned; what fits none must not count as rehearsed."""
            return not too_long(self.base, [sample], self.options.pack_tokens)

        pool = choose_replay(
            self.store, choice.parent, leave_out, pool_of(n_samples), seed, kinds, fits
        )
        if len(pool) > n_samples:
            n_turns = n_samples - n_by_surprise(n_samples)
            self._measure_surprise(pool[n_turns:], choice.replaces)
        return by_turn_and_surprise(pool, n_samples)

    def _measure_surprise(self, pool: list[Record], version: int) -> None:
        """Write into the pool and the store how unlikely a version finds each answer."""
        longest = self.options.pack_tokens
        rows = [plain_row(self.base, sample) for sample in pool]
        folder = registry.weights_folder(self.store, version)
        model = adapter.load_adapter(self.base, folder)
        losses = row_losses(self.base, model, rows, longest)
        self.base.model = adapter.remove_adapter(model)
        with self.store.db.atomic():
            for sample, loss in zip(pool, losses, strict=True):
                sample["surprise"] = round(loss, 4)
                self.store.db.execute(
                    "UPDATE samples SET surprise = ? WHERE id = ?", [loss, sample["id"]]
                )

    def _begin(self, choice: Choice, roles: list[tuple[int, str, str]], n_replay: int) -> Record:
        with self.store.db.atomic():
            self.store.db.table("runs").insert(
                {
                    "created_at": now(),
                    "state": "running",
                    "level": choice.level,
                    "parent": choice.parent,
                    "replaces": choice.replaces,
                    "base_name": self.base.name,
                    "base_digest": self.base.digest,
                    "options": to_json(asdict(self._seeded())),
                    "replayed_each": n_replay,
                    "report": None,
                }
            )
            run = self.store.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
            assert run is not None
            self.store.db.table("run_samples").insert_all(
                {"run_id": run["id"], "sample_id": sample_id, "role": role, "why": why}
                for sample_id, role, why in roles
            )
        return run

    def train_and_judge(self, run: Record) -> Record:
        """From fixed rows to a verdict; picks up where an earlier try of the same run stopped."""
        store, base = self.store, self.base
        options = Options(**json.loads(run["options"]))
        self.stop.check()
        facts, general, own, anchors = self._samples(run)
        longest = options.pack_tokens
        taught = teach(store, base, facts, options.loss, longest)
        replayed = [s for s in facts if s["role"] == "replay" and s["why"] != SINCE]
        again = {sample["id"] for sample in replayed}
        samples = [sample for sample in facts if sample["id"] not in again]
        n_replay = run["replayed_each"]
        if n_replay is None:  # begun before this was kept
            n_replay = replay_beside(len(samples), options)
        material = Material(
            samples,
            general,
            taught,
            replayed=random.Random(options.seed).sample(replayed, k=len(replayed)),
            rehearsed=self._softened(general, options, options.general_weight),
            own=self._softened(own, options),
            anchors=self._softened(anchors, options, options.general_weight),
            held=frozenset(frozenset(telling_words(wording)) for wording in held_out(store)),
            strangers=find_strangers(store),
            replayed_each=n_replay,
        )
        epochs = self._epochs(material, options, run)
        # What is in no pack that was trained must not count as learned; and what a slow pass does not bring back is lost.
        needed = epochs if _is_anew(run) else epochs[:1]
        least_steps = math.ceil(sum(map(len, needed)) / options.packs_per_step)
        self.on_progress(Progress("measure before", 0, 0))
        measuring = time.monotonic()
        against = evaluate.reference(base, evaluate.own_answers(store, base))
        examination = Examination(store, base, run, options)
        before = examination.before()
        told_apart = examination.told_apart(base.model)
        on_new = evaluate.reference_on(base, spread(examination.new, NEW_LOOKS))
        measured_s = self._measured_s(run, time.monotonic() - measuring)
        asking = time.monotonic()
        kept = retention.around(store, base, run, options, self.on_progress)
        suite_s = time.monotonic() - asking
        not_measured = ""
        self.stop.check()
        model, n_frozen = self._trainable(run, options)
        # A run that continues an adapter trains in the very ranks that hold what is known.
        continued = levels.copied(model) if run["parent"] and not n_frozen else None

        packs = [group for packs in epochs for group in packs]
        deadline = None
        if self.deadline and not self._may_end(run, packs, options, measured_s, least_steps):
            # All of the night is for training: it is examined in another.
            deadline, least_steps = (
                self.deadline - 3.0,
                math.ceil(len(packs) / options.packs_per_step),
            )
        elif self.deadline:
            deadline = self.deadline - kept_free_s(measured_s)
            if kept and not retention.fits(kept.seconds, deadline - time.monotonic()):
                kept = None
                not_measured = (
                    "general ability is not measured: that would take the time for training"
                )
                self.on_progress(Progress("suite", 0, 0, note=not_measured))
            # Asked once, when all else lets it through.
            deadline -= kept.seconds if kept else 0.0

        def on_step(step: int) -> None:
            self.on_step(step)
            if registry.is_dropped(store, run):
                raise registry.Overtaken(registry.why_overtaken(store, run))

        trained = train(
            base,
            model,
            packs,
            options,
            self._folder(run),
            self.stop,
            self.on_progress,
            deadline,
            on_step,
            least_steps,
        )
        n_trained = trained.n_steps * options.packs_per_step
        ends = accumulate(map(len, epochs))
        no_turn = without_turn(material, sum(end <= n_trained for end in ends))

        n_new = len(examination.new)
        earlier = drift.earlier(store, run) if options.max_divergence == AUTO else []
        strength = levels.Strength(model, n_frozen, continued)
        for scale in gate.SCALES:
            strength.set(scale)
            self.on_progress(Progress("measure after", 0, 0))
            after = examination.after(model)
            moved = evaluate.divergence(base, model, against)
            usual = drift.usual(earlier, moved)
            associated = examination.association(told_apart, model)
            verdict = gate.judge(
                options,
                before[:n_new],
                after[:n_new],
                before[n_new:],
                after[n_new:],
                moved,
                associated,
                usual,
                scale,
            )
            asking = time.monotonic()
            retained = kept.after(model) if kept and verdict.promoted else None
            suite_s += time.monotonic() - asking
            if retained:
                verdict = gate.judge_retention(retained.suite, retained.conduct, scale)
            verdict = replace(verdict, scale=scale)
            # Time was kept free for asking the suite once.
            if not verdict.less_may_do or (retained and not self._has_time(measured_s + suite_s)):
                break
        examination.keep("after", after)
        reworded = examination.ask_again(model, after)
        forms = examination.in_other_forms(model)
        report = self._report(run, trained, verdict, (before, after, n_new), forms, moved)
        report["max_divergence"] = gate.ceiling(options) if usual is None else usual
        flips = retained.suite if retained else None
        of_kinds = retained.conduct if retained else {}
        report["suite"] = rounded(flips) if flips else None
        report["beyond_the_base"] = kept.beyond if kept else None
        report["not_measured"] = not_measured
        report["suite_s"] = round(suite_s, 1)
        report["conduct"] = {kind: rounded(one) for kind, one in of_kinds.items()} or None
        moved_on_new = evaluate.divergence(base, model, on_new).mean if on_new.packs else None
        report["divergence_on_new"] = moved_on_new
        report["association"] = asdict(associated) if associated else None
        if verdict.promoted:
            right = {one.probe["question"]: one for one in (*after, *reworded) if one.correct}
            in_order = sorted(right, key=lambda asked: right[asked].probe["id"])
            answers = {asked: right[asked].answer for asked in in_order}
            report |= judged.learn(store, base, model, answers)
            self.on_progress(Progress("publish", 0, 0))
            report["samples"]["replay"] -= len(no_turn)
            version = registry.publish(
                store, run, lambda folder: adapter.save_adapter(model, folder), report, no_turn
            )
            if kept:
                kept.keep(version)
        else:
            with store.db.atomic():
                registry.finish(store, run["id"], report)
                self._after_refusal(run, report)
        shutil.rmtree(store.home.runs / str(run["id"]), ignore_errors=True)
        return report

    def _has_time(self, seconds: float) -> bool:
        """Whether so much of the budget is left, if there is one."""
        return not self.deadline or time.monotonic() + seconds < self.deadline

    def _after_refusal(self, run: Record, report: Record) -> None:
        """A refused night is tried again as a slow pass, with another seed. A chunk that was new in three
        refused nights is set aside, so that the nights to come can go on without it. A slow pass that
        brings nothing new is given up after as many, unless what serves must be replaced: its base or a source of it has changed."""
        self.store.set_setting(registry.SLOW_DUE, "the gate refused what was trained")
        brought = taught_chunks(self.store, run["id"]) - learned_chunks(self.store, run["replaces"])
        tried = often_refused(self.store, run["id"], REFUSALS)
        if not tried and (brought or _refusals(self.store) < REFUSALS):
            return
        self.store.db.execute("DELETE FROM settings WHERE key = ?", [registry.SLOW_DUE])
        set_aside(self.store, run["id"], tried, report["reason"])
        report["set_aside"] = sorted(
            {c["path"] for c in studied_chunks(self.store) if c["id"] in tried}
        )
        registry.finish(self.store, run["id"], report)

    def _softened(self, general: list[Record], options: Options, weight: float = 1.0) -> list[Row]:
        """What the base says by itself, as rows with its own probabilities as targets."""
        longest = options.pack_tokens
        rows = general_rows(self.base, general, longest, weight)
        return list(softened(self.store, self.base, rows, longest).values())

    def _samples(self, run: Record) -> tuple[list[Record], ...]:
        """The samples of a run: what is taught, general ones, the base's own, and refusals and identity."""
        found = self.store.rows(
            "SELECT s.id, s.chunk_id, s.kind, s.prompt, s.answer, rs.role, rs.why, c.text AS passage, c.language"
            " FROM run_samples rs"
            " JOIN samples s ON s.id = rs.sample_id LEFT JOIN chunks c ON c.id = s.chunk_id"
            " WHERE rs.run_id = ? ORDER BY s.id",
            run["id"],
        )
        facts = [sample for sample in found if sample["role"] != "general"]
        stand_in = places(self.store, {sample["chunk_id"] for sample in facts})
        facts = [{**sample, "place": stand_in.get(sample["chunk_id"], "")} for sample in facts]
        general = [sample for sample in found if sample["role"] == "general"]
        return facts, *(
            [sample for sample in general if sample["why"] == why] for why in ("", OWN, ANCHOR)
        )

    def _epochs(self, material: Material, options: Options, run: Record) -> list[list[list[Row]]]:
        """The packs of each epoch. A run that was stopped has the epochs it began with, whatever its time is now; a slow pass in
        the place of a version as many as help, over as many nights as it takes, for what few epochs do not bring back is lost."""

        def packed(epoch: int, material: Material = material) -> list[list[Row]]:
            return pack(epoch_rows(self.base, material, options, epoch), options.pack_tokens)

        # The first has all samples in it; how many there are goes by those that follow, and not by what is rehearsed beyond its share:
        # that must not cost what is new its turns.
        epochs, usual = [packed(0)], packed(1)
        least = min(material.replayed_each, replay_beside(len(material.samples), options))
        shortest = packed(1, replace(material, replayed_each=least))
        steps_each = math.ceil(len(shortest) / options.packs_per_step)
        wanted = n_epochs(options, steps_each)
        most = n_epochs(options, steps_each, as_many_as_help=True)
        begun = saved_packs(self._folder(run))
        if begun:
            wanted = max(wanted, MOST_EPOCHS)
        elif _is_anew(run):
            wanted = most
        elif self.deadline is not None:
            # Laid out are as many as there is time for, and no more than help.
            each = sum(map(n_nodes_of, usual))
            left_s = self.deadline - time.monotonic()
            wanted = min(most, max(wanted, epochs_within(self.store, options, left_s, each)))
        while len(epochs) < wanted:
            self.stop.check()
            if begun and sum(map(len, epochs)) >= begun:
                break
            epochs.append(packed(len(epochs)))
        return epochs

    def _may_end(
        self,
        run: Record,
        packs: list[list[Row]],
        options: Options,
        measured_s: float,
        least_steps: int,
    ) -> bool:
        """Whether a night may end a run. It may not where time was too short before, and most of it would be kept free for examining what
        is not trained yet: a step each night comes to no end. Nor where a run takes a version's place, and all that is left of it takes
        longer, at the pace of the last night."""
        assert self.deadline
        step = saved_step(self._folder(run))
        left_s = self.deadline - time.monotonic()
        if 0 < step < least_steps and kept_free_s(measured_s) > left_s / 2:
            return False
        speed = last_speed(self.store, options)
        left = packs[step * options.packs_per_step :]
        return not _is_anew(run) or speed is None or sum(map(n_nodes_of, left)) <= left_s * speed

    def _measured_s(self, run: Record, elapsed_s: float) -> float:
        """How long measuring takes: a run that was stopped found in the store what it had asked before."""
        if run["measured_s"] is not None:
            return float(run["measured_s"])
        with self.store.db.atomic():
            self.store.db.execute(
                "UPDATE runs SET measured_s = ? WHERE id = ?", [elapsed_s, run["id"]]
            )
        return elapsed_s

    def _trainable(self, run: Record, options: Options) -> tuple[Any, int]:
        """The model to train, and how many of its ranks are frozen."""
        if not run["parent"]:
            return adapter.new_adapter(self.base, options.rank, options.seed), 0
        folder = registry.weights_folder(self.store, run["parent"])
        if options.fast == "continue":
            return adapter.load_adapter(self.base, folder, trainable=True), 0
        return levels.stack(self.base, folder, options.fast_rank, options.seed)

    def _folder(self, run: Record) -> Path:
        private_folder(self.store.home.runs)
        folder = unfinished.folder(self.store, run)
        private_folder(folder.parent)
        return folder

    def _report(
        self,
        run: Record,
        trained: TrainReport,
        verdict: gate.Verdict,
        answers: tuple[list[Answered], list[Answered], int],
        forms: Record,
        moved: drift.Divergence,
    ) -> Record:
        before, after, n_new = answers
        counts = {
            row["role"]: row["n"]
            for row in self.store.rows(
                "SELECT role, count(*) AS n FROM run_samples WHERE run_id = ? GROUP BY role",
                run["id"],
            )
        }
        return {
            "run": run["id"],
            "decision": "promoted" if verdict.promoted else "refused",
            "reason": verdict.reason,
            "version": in_service(self.store),
            "level": run["level"],
            "samples": {role: counts.get(role, 0) for role in ("new", "replay", "general")},
            "recall": {
                "new": _recall(before[:n_new], after[:n_new]),
                "old": _recall(before[n_new:], after[n_new:]) if before[n_new:] else None,
                "forms": forms,
            },
            "divergence": moved.mean,
            "divergence_interval": [moved.low, moved.high],
            "reading": reading.measured(self.store, self.base),
            "scale": verdict.scale,
            "n_tokens": trained.n_tokens,
            "tokens_per_s": round(trained.tokens_per_s, 1),
            "device": self.base.device.type,
            "elapsed_s": round(time.monotonic() - self.began, 1),
            "train_s": round(trained.elapsed_s, 1),
            "study_s": round(self.study_s, 1),
            "steps": trained.n_steps,
            "losses": trained.losses,
            "peak_bytes": peak_bytes(self.base.device),
        }


def peak_bytes(device: Any) -> int:
    """CUDA's peak allocation, else the most memory that was resident."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _is_anew(run: Record) -> bool:
    """Whether a run learns from the base what a version knows, to take its place."""
    return run["level"] == "slow" and bool(run["replaces"])


def _refusals(store: Store) -> int:
    """How many runs were refused, or went wrong, since one passed."""
    return int(
        store.value(
            "SELECT count(*) FROM runs WHERE report ->> 'decision' = 'refused' AND id >"
            " (SELECT coalesce(max(run_id), 0) FROM adapters)"
        )
    )


def _recall(before: list[Answered], after: list[Answered]) -> Record:
    before, after = ([one for one in some if is_first(one.probe)] for some in (before, after))
    return {
        "before": evaluate.recall(before),
        "after": evaluate.recall(after),
        "n": len(after),
    }


def _nothing(store: Store) -> Record:
    return {
        "run": None,
        "decision": "nothing",
        "reason": "there is nothing new to learn",
        "version": in_service(store),
        "level": None,
        "samples": {"new": 0, "replay": 0, "general": 0},
        "recall": {"new": {"before": None, "after": None, "n": 0}, "old": None},
        "divergence": None,
        "n_tokens": 0,
        "tokens_per_s": None,
        "elapsed_s": 0.0,
        "peak_bytes": None,
    }


def _ended(store: Store, began: float, decision: str, reason: str) -> Record:
    """What is told of a run that did not come to be judged."""
    elapsed_s = round(time.monotonic() - began, 1)
    return {**_nothing(store), "decision": decision, "reason": reason, "elapsed_s": elapsed_s}


@contextmanager
def _lock(store: Store) -> Iterator[None]:
    """One consolidation at a time. The kernel gives the lock back when the process dies."""
    # Who only looks whether a consolidation is at work holds the lock for a moment.
    lock = filelock.FileLock(store.home.lock, timeout=LOOK_S, mode=0o600)
    try:
        with lock:
            yield
    except filelock.Timeout as error:
        raise Locked(
            f"another consolidation is at work in {store.home.path}", hint="wait until it is done"
        ) from error
