"""How fast the training loop is, and in how much memory, beside `transformers.Trainer` with PEFT.

    python -m benchmarks.throughput [--steps N] [--base embedded] [--json]
    python -m benchmarks.throughput --arm learnctl --compute full      (one arm, as JSON)

All arms train the same new adapter (rank 32, all linear layers, AdamW at 1e-3) of the same base on the CPU, on
the same rows in the same order: those of a night on `benchmarks/data/tuning_notes`, with the base's own questions and
what it rehearses, but with its words as targets and not its probabilities, which `Trainer` does not know. The base
studies once, in minutes; what it made is kept in `benchmarks/results/throughput`, to be removed by hand where making
samples has changed. `auto` is what a night computes in, bf16 where the CPU multiplies that in hardware: `Trainer` has
its base in bf16 too then, and `bf16=True`. `full` is fp32 for both. `Trainer` pads batches of eight rows to their longest
and wants no loss on prompts. Each arm has a process of its own, one after the other, so that each has its own
peak; the first step warms up and is not timed. Rates count rows and their real tokens, never padding, and
so do not depend on how many rows make a step.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.search import telling_words
from learnctl.memory.store import Store
from learnctl.trainer import adapter, train
from learnctl.trainer import base as bases
from learnctl.trainer.absent import find_strangers
from learnctl.trainer.base import Base
from learnctl.trainer.compute import is_quick_in_bf16
from learnctl.trainer.consolidate import peak_bytes
from learnctl.trainer.learning_rate import learning_rate
from learnctl.trainer.options import CHOICES, Options
from learnctl.trainer.own_prompts import own_samples
from learnctl.trainer.pack import Row, pack
from learnctl.trainer.progress import silent
from learnctl.trainer.rows import (
    GENERAL_ROUNDS,
    Material,
    anchors_beside,
    epoch_rows,
    general_rows,
    own_beside,
)
from learnctl.trainer.stop import StopSignals
from learnctl.trainer.synthesize import general_samples, held_out, study_chunks

from . import results
from .recipe import notes

OPTIONS = Options(quantize="none", device="cpu", rank=32, learning_rate=1e-3)
BATCH_ROWS = 8
MOST_ROWS_A_PACK = 24


@dataclass
class Course:
    """What was seen of a run: after each step the clock and resident memory; of each step its rows."""

    seconds: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    n_rows: list[int] = field(default_factory=list)
    row_tokens: list[int] = field(default_factory=list)  # of the rows, padding not counted
    computed: list[int] = field(default_factory=list)  # tokens that went through the model

    def step_done(self) -> None:
        import psutil

        self.seconds.append(time.monotonic())
        self.resident.append(psutil.Process().memory_info().rss)

    def step_of(self, rows: Sequence[Any], row_tokens: int, computed: int) -> None:
        self.n_rows.append(len(rows))
        self.row_tokens.append(row_tokens)
        self.computed.append(computed)

    def figures(self) -> dict[str, Any]:
        n_steps = len(self.seconds)
        timed = self.seconds[-1] - self.seconds[0]
        return {
            "steps": n_steps,
            "rows": sum(self.n_rows[:n_steps]),
            "rows_per_s": round(sum(self.n_rows[1:n_steps]) / timed, 3),
            "row_tokens_per_s": round(sum(self.row_tokens[1:n_steps]) / timed, 1),
            "computed_tokens_per_s": round(sum(self.computed[1:n_steps]) / timed, 1),
            "s_per_step": round(timed / (n_steps - 1), 2),
            "rss_first_step_bytes": self.resident[0],
            "rss_last_step_bytes": self.resident[-1],
        }


def studied(base: Base) -> Material:
    """What a night on the tuning notes trains, studied by the base itself; that takes minutes once and is kept."""
    home = Home(results.FOLDER / "throughput" / base.digest[:12])
    with Store.open(home, create=True) as store:
        nights, _ = notes()
        for files in nights:
            ingest(store, files)
        study_chunks(store, base, studied_chunks(store), OPTIONS.questions_per_fact, OPTIONS.seed)
        samples = [
            sample
            for sample in store.rows(
                "SELECT s.*, c.text AS passage, '' AS place, c.language FROM samples s JOIN chunks c ON c.id = s.chunk_id ORDER BY s.id"
            )
            if sample["kind"] in OPTIONS.kinds.split(",")
        ]
        general = general_samples(store, base, GENERAL_ROUNDS * OPTIONS.general_rows)
        own = own_samples(store, base, own_beside(len(samples), OPTIONS))
        n_anchors = GENERAL_ROUNDS * anchors_beside(len(samples), OPTIONS)
        anchors = general_samples(store, base, n_anchors, "refusals_and_identity")
        held = frozenset(frozenset(telling_words(wording)) for wording in held_out(store))
        strangers = find_strangers(store)
    rehearsed, asked, shown = (
        list(general_rows(base, some, OPTIONS.pack_tokens).values())
        for some in (general, own, anchors)
    )
    return Material(samples, general, {}, rehearsed, asked, shown, held, strangers)


def night_rows(base: Base, n_rows: int) -> list[Row]:
    """So many rows of a night, epoch after epoch in its order."""
    material = studied(base)
    found: list[Row] = []
    for epoch in count():
        found += epoch_rows(base, material, OPTIONS, epoch)
        if len(found) >= n_rows:
            return found[:n_rows]
    raise AssertionError("not reached")


def run_learnctl(base: Base, n_steps: int, options: Options) -> Course:
    per_step = options.packs_per_step
    n_packs = n_steps * per_step
    packs = pack(night_rows(base, MOST_ROWS_A_PACK * n_packs), options.pack_tokens)[:n_packs]
    assert len(packs) == n_packs
    course = Course()
    for start in range(0, len(packs), per_step):
        groups = packs[start : start + per_step]
        rows = [row for rows in groups for row in rows]
        nodes = sum(_n_nodes(rows) for rows in groups)
        course.step_of(rows, sum(len(row.ids) for row in rows), nodes)
    model = adapter.new_adapter(base, options.rank, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        train.train(
            base, model, packs, options, Path(folder) / "checkpoint", StopSignals(), silent,
            on_step=lambda step: course.step_done(),
        )  # fmt: skip
    return course


def run_trainer(base: Base, n_steps: int, options: Options) -> Course:
    import torch
    from transformers import (
        DataCollatorForSeq2Seq,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    rows = night_rows(base, BATCH_ROWS * n_steps)
    dataset = [
        {
            "input_ids": list(row.ids),
            "attention_mask": [1] * len(row.ids),
            "labels": [-100] * row.answer_start + list(row.ids[row.answer_start :]),
        }
        for row in rows
    ]
    course = Course()
    pad = DataCollatorForSeq2Seq(base.tokenizer, padding=True, label_pad_token_id=-100)

    def collate(batch: list[dict[str, list[int]]]) -> Any:
        padded = pad(batch)
        course.step_of(
            batch, sum(len(row["input_ids"]) for row in batch), padded["input_ids"].numel()
        )
        return padded

    class Watch(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            course.step_done()

    class InOrder(Trainer):
        def _get_train_sampler(self, *_: Any) -> Any:
            return None  # what the loader then does is to go through the rows in order

    in_bf16 = options.compute == "auto" and is_quick_in_bf16(base)
    if in_bf16:
        base.model.to(torch.bfloat16)
    model = adapter.new_adapter(base, options.rank, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=n_steps,
            per_device_train_batch_size=BATCH_ROWS,
            learning_rate=learning_rate(base, options),
            lr_scheduler_type="cosine",
            optim="adamw_torch",
            weight_decay=0.0,
            max_grad_norm=train.CLIP_NORM,
            seed=options.seed,
            use_cpu=base.device.type == "cpu",
            bf16=in_bf16,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        InOrder(
            model=model,
            args=arguments,
            train_dataset=dataset,
            data_collator=collate,
            callbacks=[Watch()],
        ).train()
    return course


ARMS = {"learnctl": run_learnctl, "Trainer": run_trainer}


def run_arm(name: str, n_steps: int, compute: str, base_name: str) -> dict[str, Any]:
    """One arm in this process."""
    options = replace(OPTIONS, compute=compute)
    base = bases.load(base_name, options.quantize, options.device)
    course = ARMS[name](base, n_steps, options)
    return {"arm": f"{name}, {compute}", **course.figures(), "peak_bytes": peak_bytes(base.device)}


def _n_nodes(rows: Sequence[Row]) -> int:
    """Tokens that are computed for rows in one trie: each prefix once."""
    return len({row.ids[: end + 1] for row in rows for end in range(len(row.ids))})


def compare(n_steps: int, base_name: str) -> dict[str, Any]:
    """All arms, each in a process of its own, and how those that compute alike stand to each other."""
    base = bases.load(base_name, OPTIONS.quantize, OPTIONS.device)
    studied(base)  # so that no arm has it in its peak
    computes = ("auto", "full") if is_quick_in_bf16(base) else ("full",)
    del base
    measures = ("rows_per_s", "row_tokens_per_s", "peak_bytes")
    arms, ratio = [], {}
    for compute in computes:
        ours, theirs = (_in_a_process(name, n_steps, compute, base_name) for name in ARMS)
        arms += [ours, theirs]
        ratio[compute] = {name: round(ours[name] / theirs[name], 3) for name in measures}
    return {"arms": arms, "ratio": ratio}


def _in_a_process(name: str, n_steps: int, compute: str, base_name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.throughput", "--arm", name, "--json"]
    done = subprocess.run(
        [*command, "--steps", str(n_steps), "--compute", compute, "--base", base_name],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(result: dict[str, Any]) -> None:
    print(
        f"{'':16}{'rows/s':>9}{'row tok/s':>11}{'computed/s':>12}{'s/step':>8}{'rows':>6}"
        f"{'RSS first':>11}{'RSS last':>10}{'peak':>10}"
    )
    for arm in result["arms"]:
        names = ("rss_first_step_bytes", "rss_last_step_bytes", "peak_bytes")
        memory = [arm[name] / 2**30 for name in names]
        print(
            f"{arm['arm']:16}{arm['rows_per_s']:9.2f}{arm['row_tokens_per_s']:11.0f}"
            f"{arm['computed_tokens_per_s']:12.0f}{arm['s_per_step']:8.2f}{arm['rows']:6}"
            f"{memory[0]:9.2f} G{memory[1]:8.2f} G{memory[2]:8.2f} G"
        )
    for compute, ratio in result["ratio"].items():
        print(
            f"learnctl over Trainer, {compute}: rows/s {ratio['rows_per_s']:.2f},"
            f" row tokens/s {ratio['row_tokens_per_s']:.2f}, peak {ratio['peak_bytes']:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=12, help="optimizer steps of each arm")
    parser.add_argument("--arm", choices=list(ARMS), help="this arm alone, in this process")
    parser.add_argument(
        "--compute",
        choices=CHOICES["compute"],
        default="auto",
        help="what is computed in, with --arm",
    )
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    given = parser.parse_args()
    if given.steps < 2:
        parser.error("--steps must be at least 2: the first is not timed")
    if given.arm:
        print(json.dumps(run_arm(given.arm, given.steps, given.compute, given.base)))
        return
    result = compare(given.steps, given.base)
    print(json.dumps(result)) if given.json else show(result)


if __name__ == "__main__":
    main()
