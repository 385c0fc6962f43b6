"""The training loop: packs of fixed shape, loss on answers alone, AdamW on a cosine, and checkpoints from
which a stopped run goes on to the very same result; on a GPU but for the order in which its kernels add.

All that is random is fixed beforehand: the order of the rows in every epoch and the packs they make
follow from the seed, so a step is known by its number and a checkpoint is two tensors files and a number.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.home import private_files, private_folder, sync
from .base import Base
from .compute import Masters, computing, is_quick_in_bf16, quickly
from .giving_way import give_back
from .learning_rate import learning_rate
from .models import file_sha256
from .options import Options
from .pack import Pack, Row, lay_out, n_nodes_of, pack
from .progress import OnProgress, Progress
from .stop import Interrupted, StopSignals
from .trie import causal_of, run_trie

# After so many steps their pace is known, and looked at again after these, counted with the one that warms up.
SETTLING_STEPS = 3
FITTED_AFTER = frozenset((SETTLING_STEPS + 1) * 4**turn for turn in range(12))
CLIP_NORM = 1.0
SOFT_CHOICES = 20
LEAST_SHARE = 1e-6
# As many as a pack of the usual size has at the most.
LOGITS_AT_ONCE = 512
CHECKPOINT_EVERY_S = 120.0
CHECKPOINT_TENSORS = ("adapter.safetensors", "optimizer.safetensors")
# The share of steps in which the rate rises from nothing; the loss of the first steps is steep.
WARM_UP = 0.03


@dataclass
class TrainReport:
    n_steps: int = 0
    n_tokens: int = 0
    n_answer_tokens: int = 0
    elapsed_s: float = 0.0
    losses: list[float] = field(default_factory=list)

    @property
    def tokens_per_s(self) -> float:
        return self.n_tokens / self.elapsed_s if self.elapsed_s else 0.0


def train(
    base: Base,
    model: Any,
    packs: list[list[Row]],
    options: Options,
    checkpoint: Path,
    stop: StopSignals,
    on_progress: OnProgress,
    deadline: float | None = None,
    on_step: Callable[[int], None] = lambda step: None,
    least_steps: int = 0,
) -> TrainReport:
    """Train an adapter on packs of rows, from a checkpoint where there is one.

    Args:
        model: a PEFT model whose adapter is trainable.
        checkpoint: the folder to keep the state in; gone when training is done by the caller.
        deadline: a `time.monotonic()` by which the last step must be over; the schedule is fitted to what the steps
            show can be done.
        least_steps: to how many steps it may be shortened; where the time is over before, it is taken
            up there another time.

    Raises:
        Interrupted: asked to stop, out of time, or out of memory that was there before; the checkpoint is on disk.
        LearnctlError: nothing to learn from, the weights went wrong, or memory ran out.
    """
    import torch

    if not any(row.answer_start < len(row.ids) for rows in packs for row in rows):
        raise LearnctlError("there is no answer to learn from in the training rows")
    compute_in = torch.bfloat16 if options.compute == "auto" and is_quick_in_bf16(base) else None
    masters = Masters(model, compute_in)
    # Never in training mode: that would switch on the base's own dropout, whose draws no checkpoint holds.
    model.eval()
    with computing(model, masters, compute_in):
        report = _loop(
            base,
            model,
            masters,
            packs,
            options,
            checkpoint,
            stop,
            on_progress,
            deadline,
            on_step,
            least_steps,
        )
    return report


def _loop(
    base: Base,
    model: Any,
    masters: Masters,
    packs: list[list[Row]],
    options: Options,
    checkpoint: Path,
    stop: StopSignals,
    on_progress: OnProgress,
    deadline: float | None,
    on_step: Callable[[int], None],
    least_steps: int,
) -> TrainReport:
    import torch

    parameters = list(masters.tensors.values())
    peak = learning_rate(base, options)
    optimizer = torch.optim.AdamW(parameters, lr=peak, weight_decay=0.0)
    per_step = options.packs_per_step
    n_steps = n_laid = math.ceil(len(packs) / per_step)
    report = TrainReport()
    step = 0
    _recover(checkpoint)
    if checkpoint.exists():
        try:
            step, n_steps = _restore(checkpoint, masters.tensors, optimizer, report, len(packs))
        except _Unusable as error:
            shutil.rmtree(checkpoint)
            on_progress(Progress("checkpoint", 0, 0, note=f"{error}; training begins anew"))
        else:
            masters.scatter()
            if deadline is None and step < n_steps:
                n_steps = n_laid  # what was cut for want of time
    parts, out_of_time, begun_at = 1, False, step
    began = saved = time.monotonic()
    base_elapsed, pace = report.elapsed_s, Pace(step, began)
    while step < n_steps:
        groups = packs[step * per_step : (step + 1) * per_step]
        for group in optimizer.param_groups:
            group["lr"] = peak * rate(step, n_steps)
        try:
            loss, parts, laid = _step(base, model, groups, options.pack_tokens, parts)
        except torch.OutOfMemoryError as error:
            if step == begun_at:
                raise LearnctlError(
                    "out of GPU memory with a single row",
                    hint="set a smaller `rank`, or choose a smaller base model",
                ) from error
            # It did fit: something else takes the room now.
            _save(checkpoint, masters.tensors, optimizer, report, step, n_steps, len(packs))
            raise Interrupted(f"out of GPU memory at step {step} of {n_steps}") from error
        masters.gather()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        masters.scatter()
        if not math.isfinite(loss):
            raise LearnctlError("training went wrong: the loss is not a number any more")
        step += 1
        report.n_steps = step
        report.losses.append(round(loss, 4))
        report.n_tokens += sum(one.n_tokens for one in laid)
        report.n_answer_tokens += sum(len(one.sources) for one in laid)
        report.elapsed_s = base_elapsed + time.monotonic() - began
        if deadline is not None:
            fit = pace.fit(step, n_steps, n_laid, time.monotonic(), deadline)
            n_steps = min(n_laid, max(fit, least_steps))
            out_of_time = fit <= step < n_steps
        left = report.elapsed_s / step * (n_steps - step)
        on_progress(
            Progress("train", step, n_steps, report.tokens_per_s, left, note=f"loss {loss:.2f}")
        )
        on_step(step)
        if stop.requested or out_of_time or time.monotonic() - saved > CHECKPOINT_EVERY_S:
            _save(checkpoint, masters.tensors, optimizer, report, step, n_steps, len(packs))
            saved = time.monotonic()
            if stop.requested:
                raise Interrupted
            if out_of_time:
                raise Interrupted(f"its time was over at step {step} of {n_steps}")
    # What comes after may be interrupted too.
    _save(checkpoint, masters.tensors, optimizer, report, step, n_steps, len(packs))
    return report


def rate(step: int, n_steps: int) -> float:
    """The learning rate as a share of its peak: a short rise, then half a cosine to zero."""
    rise = max(1, round(WARM_UP * n_steps))
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, n_steps - rise)))


def answer_logits(model: Any, packs: Sequence[Pack], device: Any) -> Any:
    """Logits at the answer positions of some packs alone, (answer token, vocabulary): the rest of the
    vocabulary-wide work is never done."""
    return _logits(model, _answer_states(model, packs, device))


def answer_logits_in_slices(model: Any, packs: Sequence[Pack], device: Any) -> Iterator[Any]:
    """The same, `LOGITS_AT_ONCE` answer tokens at a time: where many are asked for, all at once take gigabytes of a large vocabulary."""
    for states in _answer_states(model, packs, device).split(LOGITS_AT_ONCE):
        yield _logits(model, states)


def answer_log_probs(model: Any, packs: Sequence[Pack], device: Any) -> Any:
    """The log-probability of each answer token, (answer token,), in nats; of soft targets that of the first."""
    import torch

    wanted = torch.cat([one.targets[:, :1] for one in packs]).to(device).split(LOGITS_AT_ONCE)
    slices = answer_logits_in_slices(model, packs, device)
    return torch.cat(
        [
            logits.log_softmax(-1).gather(-1, ids)[:, 0]
            for logits, ids in zip(slices, wanted, strict=True)
        ]
    )


def _answer_states(model: Any, packs: Sequence[Pack], device: Any) -> Any:
    """The last hidden states at the answer positions, (answer token, width)."""
    import torch

    hidden = run_trie(
        model,
        torch.stack([one.tokens for one in packs]),
        torch.stack([one.positions for one in packs]),
        torch.stack([one.sees for one in packs]),
    )  # (pack, node, width)
    return torch.cat([hidden[i, one.sources.to(device)] for i, one in enumerate(packs)])


def _logits(model: Any, states: Any) -> Any:
    import torch

    causal = causal_of(model)
    logits = causal.get_output_embeddings()(states).float()
    config = causal.config.get_text_config()
    # As the model's own forward does behind its head: Granite, Cohere, Gemma.
    logits = logits * getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)
    cap = getattr(config, "final_logit_softcapping", None)
    if cap:
        logits = cap * torch.tanh(logits / cap)
    return logits


def loss_of(logits: Any, packs: Sequence[Pack]) -> Any:
    """The sum over rows of each row's mean loss: cross-entropy against the shares that are wanted.

    For soft rows this is the forward KL to the other model but for a constant, over its likeliest
    tokens; cf. context distillation with top-k logits, https://arxiv.org/abs/2506.06266.
    """
    import torch

    total = logits.new_zeros(())
    start = 0
    for one in packs:
        log_probs = torch.log_softmax(logits[start : start + len(one.sources)], -1)
        wanted = log_probs.gather(-1, one.targets.to(logits.device))
        shares = one.shares.to(logits.device)
        # All other tokens together are one more choice; without it the likeliest would be overdone. What has
        # no share is among them: rows with fewer choices than others of their pack are filled up so.
        rest = (1 - (wanted.exp() * (shares > 0)).sum(-1)).clamp(min=LEAST_SHARE).log()
        each = -(shares * wanted).sum(-1) - (1 - shares.sum(-1)).clamp(min=0) * rest
        total = total + (each * one.weights.to(logits.device)).sum()
        start += len(one.sources)
    return total


def soften(base: Base, rows: Sequence[Row], n_nodes: int) -> list[Row]:
    """The rows with the base's own probabilities as targets, in bf16 where the processor is quick in it; no adapter
    may be on the base."""
    import torch

    softened: list[Row] = []
    if not rows:
        return softened
    with quickly(base, base.model):
        for group in pack(rows, n_nodes):
            laid = lay_out(group, n_nodes, base.tokenizer.pad_token_id)
            likely = [
                torch.softmax(logits, -1).topk(min(SOFT_CHOICES, logits.shape[-1]), -1)
                for logits in answer_logits_in_slices(base.model, [laid], base.device)
            ]
            values, indices = (torch.cat(parts).cpu() for parts in zip(*likely, strict=True))
            start = 0
            for row in group:
                end = start + len(row.ids) - row.answer_start
                softened.append(replace(row, soft=(indices[start:end], values[start:end])))
                start = end
    return softened


def row_losses(base: Base, model: Any, rows: Sequence[Row], n_nodes: int) -> list[float]:
    """How unlikely a model finds each row's answer: mean loss, nats a token; in bf16 where the processor is quick in
    it."""
    losses: list[float] = []
    if not rows:
        return losses
    with quickly(base, model):
        for group in pack(rows, n_nodes):
            laid = lay_out(group, n_nodes, base.tokenizer.pad_token_id)
            each = -answer_log_probs(model, [laid], base.device).cpu()
            for row in group:
                n_tokens = len(row.ids) - row.answer_start
                losses.append(float(each[:n_tokens].mean()))
                each = each[n_tokens:]
    return losses


def _step(
    base: Base, model: Any, groups: Sequence[list[Row]], n_nodes: int, parts: int
) -> tuple[float, int, list[Pack]]:
    """Gradients of one optimizer step. Out of memory on a GPU halves the micro-batch and tries again.

    Args:
        parts: in how many parts the rows of each group are computed one after another.

    Returns the mean loss of the rows by their weights, the parts that fitted, and what was computed.

    Raises:
        torch.OutOfMemoryError: a single row does not fit.
    """
    import torch

    while True:
        laid = [one for rows in groups for one in _cut(base, rows, n_nodes, parts)]
        try:
            return _gradients(base, model, laid), parts, laid
        except torch.OutOfMemoryError:
            if parts >= max(map(len, groups)):
                raise
        # Not before the fault is done with: until then it holds all that did not fit.
        model.zero_grad(set_to_none=True)
        give_back()
        parts *= 2


def _gradients(base: Base, model: Any, laid: Sequence[Pack]) -> float:
    """Add the gradients of some packs to the model, one pack after another; the mean loss of their rows by their weights."""
    weight = sum(one.weight for one in laid)
    total = 0.0
    for one in laid:
        loss = loss_of(answer_logits(model, [one], base.device), [one]) / weight
        loss.backward()
        total += float(loss.detach())
    return total


def _cut(base: Base, rows: list[Row], n_nodes: int, parts: int) -> list[Pack]:
    """A group of rows as one pack of the fixed shape, or as parts no larger than they need to be."""
    pad_id = base.tokenizer.pad_token_id
    if parts == 1:
        return [lay_out(rows, n_nodes, pad_id)]
    size = math.ceil(len(rows) / parts)
    some = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [lay_out(part, n_nodes_of(part), pad_id) for part in some]


class Pace:
    """How many steps the time that is left allows, as the latest steps show.

    The schedule is fitted to it when the pace is known, and again after four times as many steps, both ways: not at every
    flicker of the clock, so that the rate runs down smoothly, and cut off only at the very end. The first step of a
    process, which warms up, is left out.
    """

    def __init__(self, step: int, now: float) -> None:
        self._first, self._step, self._at = step, step, now

    def fit(self, step: int, n_steps: int, n_laid: int, now: float, deadline: float) -> int:
        """The number of steps to go for, of `n_laid` at most; `n_steps` where it is to stay as it is. Times in seconds."""
        n_here = step - self._first
        if n_here == 1:
            self._step, self._at = step, now
            return n_steps if now < deadline else step
        each_s = max(1e-9, now - self._at) / (step - self._step)
        fit = step + max(0, int((deadline - now) / each_s))
        is_looked_at = n_here in FITTED_AFTER
        if is_looked_at:
            self._step, self._at = step, now
        if deadline - now < SETTLING_STEPS * each_s:
            return min(n_steps, fit)
        return min(n_laid, fit) if is_looked_at else n_steps


def _save(
    folder: Path,
    trained: dict[str, Any],
    optimizer: Any,
    report: TrainReport,
    step: int,
    n_steps: int,
    n_packs: int,
) -> None:
    """A checkpoint: written beside its place, synced, renamed."""
    import torch
    from safetensors.torch import save_file

    scratch = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    private_folder(scratch)
    names = list(trained)
    held = {name: value.detach().contiguous() for name, value in trained.items()}
    state = optimizer.state_dict()["state"]
    moments = {
        f"{key} {names[index]}": value.contiguous()
        for index, of in state.items()
        for key, value in of.items()
        if isinstance(value, torch.Tensor)
    }
    told = {
        "step": step,
        "n_steps": n_steps,
        "n_packs": n_packs,
        "n_tokens": report.n_tokens,
        "n_answer_tokens": report.n_answer_tokens,
        "elapsed_s": report.elapsed_s,
        "losses": report.losses,
    }
    with private_files():
        for name, tensors in zip(CHECKPOINT_TENSORS, (held, moments), strict=True):
            save_file(tensors, scratch / name)
            told[name] = file_sha256(scratch / name)
        (scratch / "state.json").write_text(json.dumps(told))
    for file in scratch.iterdir():
        sync(file)
    sync(scratch)
    older = folder.with_name(folder.name + ".old")
    shutil.rmtree(older, ignore_errors=True)
    if folder.exists():
        os.replace(folder, older)
    os.replace(scratch, folder)
    sync(folder.parent)
    shutil.rmtree(older, ignore_errors=True)


def _recover(folder: Path) -> None:
    """Take the older checkpoint where a run died between putting it aside and renaming the newer."""
    older = folder.with_name(folder.name + ".old")
    if older.exists() and not folder.exists():
        os.replace(older, folder)


def saved_step(folder: Path) -> int:
    """The step that a checkpoint was saved at; 0 where there is none that can be read."""
    return _saved(folder, "step")


def saved_packs(folder: Path) -> int:
    """Of how many packs the run of a checkpoint was made; 0 where there is none that can be read."""
    return _saved(folder, "n_packs")


def _saved(folder: Path, name: str) -> int:
    _recover(folder)
    try:
        return int(json.loads((folder / "state.json").read_text())[name])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


class _Unusable(Exception):
    """A checkpoint is not what was saved, or not of these packs; says why."""


def _restore(
    folder: Path, trained: dict[str, Any], optimizer: Any, report: TrainReport, n_packs: int
) -> tuple[int, int]:
    """Take up a checkpoint: the step it was saved at, and how many there are to be.

    Raises:
        _Unusable: it was cut short or changed, or was made of another number of packs; nothing was taken up.
    """
    import torch
    from safetensors.torch import load_file

    told = _read_state(folder)
    # Cues are drawn around what is held out now: its steps would leave packs out, or run over their end.
    if told.get("n_packs") != n_packs:
        raise _Unusable("the rows are others than before the stop")
    saved, moments = (load_file(folder / name) for name in CHECKPOINT_TENSORS)
    with torch.no_grad():
        for name, value in trained.items():
            value.copy_(saved[name])
    # What no row reaches, such as layers that see images, has never moved.
    state = {
        index: {key: moments[f"{key} {name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
        for index, name in enumerate(trained)
        if f"step {name}" in moments
    }
    whole = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
    for name in ("n_tokens", "n_answer_tokens", "elapsed_s", "losses"):
        setattr(report, name, told[name])
    report.n_steps = told["step"]
    return int(told["step"]), int(told["n_steps"])


def _read_state(folder: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, once its tensors are found to be those that were saved."""
    name = "state.json"
    try:
        told: dict[str, Any] = json.loads((folder / name).read_text())
        for name in CHECKPOINT_TENSORS:
            if file_sha256(folder / name) != told[name]:
                raise ValueError("not what was saved")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _Unusable(f"{folder / name} is missing or damaged") from error
    return told
