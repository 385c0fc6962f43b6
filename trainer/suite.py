"""A general suite: whether a version still can what the base could, on questions about nobody's notes.

Items are read from a folder of JSON lines in the forms that well-known sets are published in: ARC,
OpenBookQA and CommonsenseQA (`choices` and `answerKey`), PIQA (`goal`), WinoGrande (`sentence`), BoolQ
(`passage`) and COPA (`premise`). Each option stands as the continuation of its question, and the one
whose tokens the model finds likeliest on average is its answer; nothing is generated. Retention is
judged by the items that flip, not by two means: https://arxiv.org/abs/2407.09141.
"""

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.store import Record, Store
from .base import Base
from .intervals import compare, rounded
from .options import Options
from .pack import Row, lay_out, pack
from .progress import OnProgress, Progress, silent
from .talk import Talker
from .train import answer_log_probs

# Enough for a bound of two points where six items in a hundred flip.
ITEMS = 930
PACK_TOKENS = 512
PACKS_AT_ONCE = 8  # on a GPU
KEPT_AT_ONCE = 64  # items whose answers are written together
# One line of such a set is far shorter; a longer one is no item.
LONGEST_LINE = 100_000
NO_ITEMS = ": no multiple-choice items of a known form"

# What a line raises that is not of the form it seemed to be; a number may be too large for an integer.
NOT_OF_THE_FORM = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """A question whose options are each a text that stands before, and the text that is scored.

    `name` follows from the content, so that the same item is the same in every run.
    """

    task: str
    name: str
    options: tuple[tuple[str, str], ...]
    answer: int


@dataclass(frozen=True)
class Suite:
    items: list[Item]
    left_out: list[str]  # one line of reason for each file or line that is none of the known forms


def read_suite(folder: Path, n_items: int) -> Suite:
    """Up to so many items, the same at each call, and as many of each task as there are.

    Raises:
        LearnctlError: there is no such folder, or no item in it.
    """
    if not folder.is_dir():
        raise LearnctlError(f"{folder}: no such folder", hint="give a folder of *.jsonl files")
    left_out: list[str] = []
    tasks: list[list[Item]] = []
    for file in sorted(folder.glob("*.jsonl")):
        n_bad = 0
        found: dict[str, Item] = {}
        try:
            for item in _read_items(file):
                n_bad += item is None
                if item:
                    found[item.name] = item
        except OSError as error:
            left_out.append(f"{shown(file.name)}: {error.strerror}")
            continue
        if not found:
            left_out.append(f"{shown(file.name)}{NO_ITEMS}")
        elif n_bad:
            left_out.append(f"{shown(file.name)}: {n_bad} lines are no items and were left out")
        tasks.append(sorted(found.values(), key=lambda item: item.name))
    longest = max((len(task) for task in tasks), default=0)
    in_turns = [task[turn] for turn in range(longest) for task in tasks if turn < len(task)]
    if not in_turns:
        raise LearnctlError(
            f"{folder}: no multiple-choice items in it", hint="give a folder of *.jsonl files"
        )
    chosen = sorted(in_turns[:n_items], key=lambda item: (item.task, item.name))
    return Suite(chosen, left_out)


def retention(
    store: Store,
    options: Options,
    suite: Suite,
    version: int | None = None,
    on_progress: OnProgress = silent,
) -> Record:
    """The suite asked of the base and of a version (None: the one in service), and what flipped.

    Answers are kept in the store: no item is asked of the same weights twice.

    Raises:
        LearnctlError: the base or the version cannot be used.
    """
    talker = Talker.open(store, options, version)
    base = talker.base
    model: Any = talker.model
    for which in dict.fromkeys((0, talker.version)):
        untouched = nullcontext() if which or not talker.version else model.disable_adapter()
        with untouched:
            of_version(store, base, model, which, suite.items, on_progress)
    names = {item.name for item in suite.items}
    return {**compared(store, base.as_held, talker.version, names), "left_out": suite.left_out}


def of_version(
    store: Store,
    base: Base,
    model: Any,
    version: int,
    items: Sequence[Item],
    on_progress: OnProgress = silent,
) -> list[bool]:
    """Whether a version answers each item rightly, asked of its model where it is not in the store.

    Answers are kept as they come: what is interrupted goes on from there.
    """
    known = _kept(store, base, version)
    missing = [item for item in items if item.name not in known]
    phase = f"suite, version {version}" if version else "suite, base"
    began = time.monotonic()
    for start in range(0, len(missing), KEPT_AT_ONCE):
        some = missing[start : start + KEPT_AT_ONCE]
        tell = _of_all(on_progress, start, len(missing), began)
        keep(store, base, version, some, answer_items(base, model, some, tell, phase))
        pace = (time.monotonic() - began) / (start + len(some))
        store.set_setting(_pace_of(base), str(pace))
    known = _kept(store, base, version)
    return [known[item.name][1] for item in items]


def keep(
    store: Store, base: Base, version: int, items: Sequence[Item], right: Sequence[bool]
) -> None:
    """What a version answered, for every comparison to come."""
    with store.db.atomic():
        for item, correct in zip(items, right, strict=True):
            store.db.execute(
                "INSERT OR REPLACE INTO suite_answers VALUES (?, ?, ?, ?, ?)",
                [base.as_held, version, item.name, item.task, int(correct)],
            )


def seconds(store: Store, base: Base, items: Sequence[Item]) -> float:
    """About how long a suite takes, as it did the last time; 0 where it was never asked."""
    return len(items) * float(store.setting(_pace_of(base), "0"))


def answer_items(
    base: Base,
    model: Any,
    items: Sequence[Item],
    on_progress: OnProgress = silent,
    phase: str = "suite",
) -> list[bool]:
    """Whether the option that a model finds likeliest is the right one, for each item."""
    import torch

    rows = [_row(base, before, scored) for item in items for before, scored in item.options]
    groups = pack(rows, PACK_TOKENS)
    at_once = PACKS_AT_ONCE if base.device.type == "cuda" else 1
    scores: list[float] = []
    began, n_tokens = time.monotonic(), 0
    for start in range(0, len(groups), at_once):
        some = groups[start : start + at_once]
        laid = [lay_out(group, PACK_TOKENS, base.tokenizer.pad_token_id) for group in some]
        with torch.inference_mode():
            each = answer_log_probs(model, laid, base.device)
        lengths = [len(row.ids) - row.answer_start for group in some for row in group]
        scores += [float(part.mean()) for part in each.split(lengths)]
        n_tokens += sum(one.n_tokens for one in laid)
        pace = (time.monotonic() - began) / len(scores)
        left = pace * (len(rows) - len(scores))
        done = len(items) * len(scores) // len(rows)
        on_progress(Progress(phase, done, len(items), n_tokens / (pace * len(scores)), left))
    found = iter(scores)
    answered = []
    for item in items:
        of_options = [next(found) for _ in item.options]
        answered.append(of_options.index(max(of_options)) == item.answer)
    return answered


def compared(store: Store, key: str, version: int, names: set[str] | None = None) -> Record:
    """What is kept of a version beside the base, on the items that both were asked.

    Args:
        key: which base, as `bases_measured` names it.
        names: only these items.
    """
    before, after = (_kept_rows(store, key, which) for which in (0, version))
    both = [name for name in after if name in before and (names is None or name in names)]
    was, is_now = [before[name][1] for name in both], [after[name][1] for name in both]
    tasks: dict[str, list[str]] = defaultdict(list)
    for name in both:
        tasks[after[name][0]].append(name)
    found = compare(was, is_now)
    return {
        "version": version,
        "base": round(sum(was) / len(was), 4) if was else None,
        "right": round(sum(is_now) / len(is_now), 4) if is_now else None,
        **(rounded(found) if found else {"n": 0}),
        "tasks": {
            task: {
                "n": len(of_task),
                "base": round(sum(before[name][1] for name in of_task) / len(of_task), 4),
                "right": round(sum(after[name][1] for name in of_task) / len(of_task), 4),
            }
            for task, of_task in sorted(tasks.items())
        },
    }


def bases_measured(store: Store, version: int) -> list[str]:
    """The bases, by digest and quantization, that a version was measured on."""
    found = store.rows("SELECT DISTINCT base FROM suite_answers WHERE version = ?", version)
    return [row["base"] for row in found]


def shown(name: str) -> str:
    """A file's name as it can be kept and shown: bytes that are no UTF-8 come as lone surrogates."""
    return os.fsencode(name).decode(errors="replace")


def _of_all(on_progress: OnProgress, n_before: int, total: int, began: float) -> OnProgress:
    """Tells of one batch as of a part of all."""

    def tell(progress: Progress) -> None:
        done = n_before + progress.done
        left = (time.monotonic() - began) / done * (total - done) if done else None
        on_progress(replace(progress, done=done, total=total, seconds_left=left))

    return tell


def _read_items(file: Path) -> Iterator[Item | None]:
    """Each line as an item; None where it is none."""
    if not file.is_file():  # a pipe would be waited for
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        while line := lines.readline(LONGEST_LINE):
            if line.strip():
                yield _item(shown(file.stem), line)


def _item(task: str, line: str) -> Item | None:
    try:
        row = json.loads(line)
        options, answer = _options(row)
        # Both must hold something: what is scored, and what it is scored after.
        texts = [text.strip() for option in options for text in option]
        "".join(texts).encode()  # no tokenizer takes half of a surrogate pair
    except NOT_OF_THE_FORM:
        return None
    if not 0 <= answer < len(options) or not all(texts):
        return None
    content = json.dumps([task, options, answer], sort_keys=True)
    return Item(task, hashlib.sha256(content.encode()).hexdigest()[:16], tuple(options), answer)


def _options(row: Record) -> tuple[list[tuple[str, str]], int]:
    """The options of a line and which one is right; raises where it is of no known form."""
    if "choices" in row:
        question = row["question" if "question" in row else "question_stem"]
        answer = row["choices"]["label"].index(row["answerKey"])
        return _continued(f"Question: {question}\nAnswer:", row["choices"]["text"]), answer
    if "goal" in row:
        asked = f"Question: {row['goal']}\nAnswer:"
        return _continued(asked, [row["sol1"], row["sol2"]]), int(row["label"])
    if "sentence" in row:
        before, after = row["sentence"].split("_")
        options = [(before + row[name], after) for name in ("option1", "option2")]
        return options, int(row["answer"]) - 1
    if "passage" in row:
        asked = f"{row['passage']}\nQuestion: {row['question']}?\nAnswer:"
        return _continued(asked, ["yes", "no"]), int(not row["answer"])
    premise = row["premise"].strip().removesuffix(".")
    asked = f"{premise} {'because' if row['question'] == 'cause' else 'so'}"
    choices = [row["choice1"], row["choice2"]]
    return _continued(asked, [one[:1].lower() + one[1:] for one in choices]), int(row["label"])


def _continued(before: str, options: Sequence[str]) -> list[tuple[str, str]]:
    return [(before, f" {option.strip()}") for option in options]


def _row(base: Base, before: str, scored: str) -> Row:
    """One option as a row; of a text that is too long for a pack the beginning is left out."""
    start = list(base.tokenizer(before)["input_ids"])
    rest = list(base.tokenizer(scored, add_special_tokens=False)["input_ids"])[: PACK_TOKENS // 2]
    start = start[-(PACK_TOKENS - len(rest)) :]
    return Row((*start, *rest), len(start))


def _pace_of(base: Base) -> str:
    """The setting that says how many seconds an item takes."""
    return f"suite pace {base.as_held}"


def _kept(store: Store, base: Base, version: int) -> dict[str, tuple[str, bool]]:
    return _kept_rows(store, base.as_held, version)


def _kept_rows(store: Store, key: str, version: int) -> dict[str, tuple[str, bool]]:
    rows = store.rows(
        "SELECT item, task, correct FROM suite_answers WHERE base = ? AND version = ? ORDER BY item",
        key,
        version,
    )
    return {row["item"]: (row["task"], bool(row["correct"])) for row in rows}
