"""Training: it learns, it touches nothing but the adapter, and a stopped run ends where it would have."""

import json
import math
import shutil
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.trainer import base as bases
from learnctl.trainer.adapter import (
    load_adapter,
    new_adapter,
    read_weights,
    remove_adapter,
    save_adapter,
    weights,
)
from learnctl.trainer.base import Base
from learnctl.trainer.learning_rate import learning_rate
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row, pack
from learnctl.trainer.progress import Progress, silent
from learnctl.trainer.stop import Interrupted, StopSignals
from learnctl.trainer.train import Pace, TrainReport, _step, rate, train

FAMILIES = ("llama", "qwen", "gemma", "gemma3")
LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
PAIRS = [
    ("What is the dog called?", "The dog is called Quimby."),
    ("Who services the boiler?", "Harald Immer, every March."),
    ("Where does Harald live?", "In Dunmere Row, with two parrots."),
    ("What did the fence cost?", "The new fence cost 640 euros."),
]

ChatRows = Callable[[Base, list[tuple[str, str]]], list[Row]]


@pytest.fixture
def options(settings: Callable[..., Options]) -> Options:
    """Two steps an epoch of 128 nodes; the rate suits random weights."""
    return settings(epochs=12, learning_rate=1e-2, pack_tokens=64, packs_per_step=2)


@pytest.fixture
def learn(chat_rows: ChatRows, tmp_path: Path) -> Callable[..., TrainReport]:
    """Train on the four pairs; whatever `train` takes may be given."""

    def run(base: Base, model: Any, options: Options, **more: Any) -> TrainReport:
        rows = chat_rows(base, PAIRS)
        packs = int(options.epochs) * pack(rows, options.pack_tokens)
        known: dict[str, Any] = {
            "checkpoint": tmp_path / "checkpoint",
            "stop": StopSignals(),
            "on_progress": silent,
        }
        return train(base, model, packs, options, **{**known, **more})

    return run


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.arange(3, 40)[None]).logits


def adapter_after(model: Any) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in weights(model).items()}


def apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference between two adapters of the same form."""
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_falls(
    tiny: Callable[[str], Base], learn: Callable[..., TrainReport], options: Options, family: str
) -> None:
    """Four questions are learned: the loss falls by a quarter and more."""
    base = tiny(family)
    report = learn(base, new_adapter(base, 8, 0), options)
    assert report.n_steps == len(report.losses) >= int(options.epochs)
    assert report.losses[-1] < 0.75 * report.losses[0]
    assert 0 < report.n_answer_tokens < report.n_tokens <= report.n_steps * 128


def test_each_step_tells_pace_and_time_left(
    llama: Base, learn: Callable[..., TrainReport], options: Options
) -> None:
    """The time left is that of the steps to come, each as long as those so far."""
    told: list[Progress] = []
    began = time.monotonic()
    clock: list[float] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        clock.append(time.monotonic() - began)

    report = learn(llama, new_adapter(llama, 4, 0), options, on_progress=tell)
    assert [one.done for one in told] == [*range(1, report.n_steps + 1)]
    assert told[-1].tokens_per_s == pytest.approx(report.n_tokens / report.elapsed_s)
    assert told[-1].seconds_left == 0
    for one, passed_s in zip(told, clock, strict=True):
        assert one.seconds_left is not None
        assert 0 <= one.seconds_left <= passed_s / one.done * (one.total - one.done)
    assert told[0].seconds_left


@pytest.mark.parametrize("family", FAMILIES)
def test_the_base_is_never_changed(
    tiny: Callable[[str], Base],
    tiny_folder: Callable[[str], Path],
    learn: Callable[..., TrainReport],
    options: Options,
    family: str,
) -> None:
    """Training changes no bit of the base, in memory or on disk; without the adapter it answers as before."""
    import torch

    base = tiny(family)
    before = {name: value.clone() for name, value in base.model.state_dict().items()}
    answered = logits(base.model)
    digests = {file: file.read_bytes() for file in tiny_folder(family).glob("*.safetensors")}
    model = new_adapter(base, 8, 0)
    assert torch.equal(logits(model), answered)
    learn(base, model, options)
    assert not torch.equal(logits(model), answered)

    remove_adapter(model)
    after = base.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(logits(base.model), answered)
    assert all(file.read_bytes() == content for file, content in digests.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_adapter_covers_attention_and_mlp(tiny: Callable[[str], Base], family: str) -> None:
    """Every linear layer of every block has an adapter, and neither embeddings nor the output head do."""
    base = tiny(family)
    names = list(weights(new_adapter(base, 4, 0)))
    for block in range(2):
        for layer in LAYERS:
            found = [name for name in names if f"layers.{block}." in name and f".{layer}." in name]
            assert len(found) == 2, (block, layer)
    assert len(names) == 2 * 2 * len(LAYERS)


def test_adapter_is_fp32(llama: Base, learn: Callable[..., TrainReport], options: Options) -> None:
    """The adapter's weights are fp32 whatever the base is held in, and alone are trained."""
    import torch

    llama.model.to(torch.bfloat16)
    model = new_adapter(llama, 4, 0)
    assert {value.dtype for value in weights(model).values()} == {torch.float32}
    trainable = {name for name, value in model.named_parameters() if value.requires_grad}
    assert trainable == set(weights(model))
    report = learn(llama, model, options)
    assert report.losses[-1] < report.losses[0]
    assert {value.dtype for value in weights(model).values()} == {torch.float32}


def test_adapter_comes_back_from_disk(
    tiny: Callable[[str], Base], learn: Callable[..., TrainReport], options: Options, tmp_path: Path
) -> None:
    """A saved adapter on a freshly loaded base answers as the trained one did; its file is safetensors."""
    import torch

    base = tiny("llama")
    model = new_adapter(base, 4, 0)
    learn(base, model, options)
    save_adapter(model, tmp_path / "saved")
    names = {file.name for file in (tmp_path / "saved").iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors"}
    loaded = load_adapter(tiny("llama"), tmp_path / "saved")
    torch.testing.assert_close(logits(loaded), logits(model), atol=1e-5, rtol=0)
    assert not any(value.requires_grad for value in loaded.parameters())


def test_adapter_that_is_not_plain_lora_is_refused(llama: Base, tmp_path: Path) -> None:
    """An adapter folder that asks for more than LoRA layers is not loaded."""
    save_adapter(new_adapter(llama, 4, 0), tmp_path / "saved")
    settings = tmp_path / "saved" / "adapter_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "use_dora": True}))
    with pytest.raises(LearnctlError, match="use_dora is True"):
        load_adapter(llama, tmp_path / "saved")


def test_nothing_to_learn_fails_loudly(llama: Base, options: Options, tmp_path: Path) -> None:
    """Rows without answer tokens, and no rows at all, are a fault and not a night's work."""
    row, model = Row((3, 4, 5), 3), new_adapter(llama, 4, 0)
    for packs in ([[row]], []):
        with pytest.raises(LearnctlError, match="no answer to learn from"):
            train(llama, model, packs, options, tmp_path / "c", StopSignals(), silent)


def test_loss_that_is_no_number_fails_loudly(
    llama: Base, learn: Callable[..., TrainReport], options: Options
) -> None:
    """An adapter gone wrong ends the training; it is not trained on."""
    import torch

    model = new_adapter(llama, 4, 0)
    with torch.no_grad():
        next(iter(weights(model).values())).fill_(math.nan)
    with pytest.raises(LearnctlError, match="not a number"):
        learn(llama, model, options)


@pytest.mark.parametrize(("stop_at", "with_eyes"), [(1, False), (7, False), (7, True)])
def test_stop_and_go_on(
    tiny: Callable[[str], Base],
    learn: Callable[..., TrainReport],
    options: Options,
    tmp_path: Path,
    stop_at: int,
    with_eyes: bool,
) -> None:
    """A run stopped between two steps goes on to the adapter that it would have made undisturbed; also where some layers are for
    images, which no row reaches, so that the optimizer keeps nothing of them."""

    def load() -> Base:
        import torch

        base = tiny("llama")
        if with_eyes:
            base.model.add_module("eyes", torch.nn.ModuleDict({"q_proj": torch.nn.Linear(4, 4)}))
        return base

    base = load()
    model = new_adapter(base, 4, 0)
    whole = learn(base, model, options, checkpoint=tmp_path / "undisturbed")
    expected = adapter_after(model)

    stop = StopSignals()

    def at_step(step: int) -> None:
        if step == stop_at:
            stop.request()

    base = load()
    with pytest.raises(Interrupted):
        learn(base, new_adapter(base, 4, 0), options, stop=stop, on_step=at_step)
    kept = tmp_path / "checkpoint"
    assert json.loads((kept / "state.json").read_text())["step"] == stop_at
    assert kept.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in kept.iterdir()} == {0o600}

    base = load()
    model = new_adapter(base, 4, 0)
    steps: list[int] = []
    rest = learn(base, model, options, on_step=steps.append)
    assert steps == list(range(stop_at + 1, whole.n_steps + 1))
    assert apart(adapter_after(model), expected) < 1e-5
    assert rest.losses == whole.losses
    assert (rest.n_tokens, rest.n_answer_tokens) == (whole.n_tokens, whole.n_answer_tokens)


def test_a_checkpoint_outlasts_a_crash(
    llama: Base,
    learn: Callable[..., TrainReport],
    options: Options,
    tmp_path: Path,
    outlasts_a_crash: Callable[[Path], None],
) -> None:
    """The first one, and one that takes the place of another."""
    for _ in range(2):
        stop = StopSignals()
        model = new_adapter(llama, 4, 0)
        with pytest.raises(Interrupted):
            learn(llama, model, options, stop=stop, on_step=lambda _, stop=stop: stop.request())
        remove_adapter(model)
        outlasts_a_crash(tmp_path / "checkpoint")


@pytest.mark.parametrize("name", ["state.json", "adapter.safetensors", "optimizer.safetensors"])
@pytest.mark.parametrize("fault", ["cut short", "foreign", "missing"])
def test_a_checkpoint_that_cannot_be_read(
    tiny: Callable[[str], Base],
    learn: Callable[..., TrainReport],
    options: Options,
    tmp_path: Path,
    name: str,
    fault: str,
) -> None:
    """It is dropped, one line tells so, and training begins anew."""
    stop = StopSignals()
    base = tiny("llama")
    with pytest.raises(Interrupted):
        learn(base, new_adapter(base, 4, 0), options, stop=stop, on_step=lambda _: stop.request())
    file = tmp_path / "checkpoint" / name
    held = file.read_bytes()
    if fault == "missing":
        file.unlink()
    else:
        file.write_bytes(held[:-9] if fault == "cut short" else held[:-9] + b"\xff" * 9)

    told: list[Progress] = []
    steps: list[int] = []
    base = tiny("llama")
    model = new_adapter(base, 4, 0)
    learn(base, model, options, on_progress=told.append, on_step=steps.append)
    assert steps[0] == 1
    notes = [one.note for one in told if one.phase == "checkpoint"]
    assert notes == [f"{file} is missing or damaged; training begins anew"]


@pytest.mark.parametrize("epochs", [11, 13])
def test_a_checkpoint_of_other_packs(
    tiny: Callable[[str], Base],
    learn: Callable[..., TrainReport],
    options: Options,
    tmp_path: Path,
    epochs: int,
) -> None:
    """Where the rows have become more or fewer packs since the stop, all of them are trained from the start."""
    changed = replace(options, epochs=epochs)
    base = tiny("llama")
    model = new_adapter(base, 4, 0)
    whole = learn(base, model, changed, checkpoint=tmp_path / "undisturbed")
    expected = adapter_after(model)

    stop = StopSignals()
    base = tiny("llama")
    with pytest.raises(Interrupted):
        learn(base, new_adapter(base, 4, 0), options, stop=stop, on_step=lambda _: stop.request())

    told: list[Progress] = []
    base = tiny("llama")
    model = new_adapter(base, 4, 0)
    report = learn(base, model, changed, on_progress=told.append)
    assert [one.done for one in told if one.phase == "train"] == [*range(1, whole.n_steps + 1)]
    assert [one.note for one in told if one.phase == "checkpoint"] == [
        "the rows are others than before the stop; training begins anew"
    ]
    assert report.losses == whole.losses
    assert apart(adapter_after(model), expected) < 1e-6


def test_same_seed_same_adapter(
    tiny: Callable[[str], Base], learn: Callable[..., TrainReport], options: Options, tmp_path: Path
) -> None:
    """Two runs with one seed make the same adapter."""
    made = []
    for name in ("one", "two"):
        base = tiny("qwen")
        model = new_adapter(base, 4, options.seed)
        learn(base, model, options, checkpoint=tmp_path / name)
        made.append(adapter_after(model))
    assert apart(*made) < 1e-6


def test_a_base_s_own_dropout_is_off(
    tiny: Callable[[str], Base],
    tiny_folder: Callable[[str], Path],
    learn: Callable[..., TrainReport],
    options: Options,
    tmp_path: Path,
) -> None:
    """A base that was pre-trained with dropout learns the same as one that was not: nothing is drawn."""
    folder = shutil.copytree(tiny_folder("llama"), tmp_path / "llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "attention_dropout": 0.3}))
    made = []
    for number, base in enumerate((tiny("llama"), bases.load(str(folder)))):
        model = new_adapter(base, 4, options.seed)
        learn(base, model, options, checkpoint=tmp_path / str(number))
        made.append(adapter_after(model))
    assert apart(*made) < 1e-6


@pytest.mark.parametrize(
    ("width", "layers", "expected"), [(576, 30, 1e-3), (1536, 28, 5e-4), (4096, 36, 2e-4)]
)
def test_the_rate_goes_by_the_size_of_the_base(
    llama: Base, width: int, layers: int, expected: float
) -> None:
    """Shapes like those of the models that are the default, without their weights; a chosen rate stands."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape: dict[str, Any] = {"hidden_size": width, "intermediate_size": 4 * width}
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**shape, num_hidden_layers=layers))
    base = replace(llama, model=model)
    assert learning_rate(base, Options()) == expected
    assert learning_rate(base, Options(learning_rate=3e-3)) == 3e-3


def test_rate() -> None:
    """The rate rises from above nothing to its peak and falls to zero."""
    rates = [rate(step, 100) for step in range(100)]
    assert rates[0] > 0
    assert max(rates) == pytest.approx(1)
    assert rates[-1] < 0.01
    assert rates.index(max(rates)) < 10
    assert rate(0, 1) > 0


@pytest.mark.parametrize(
    ("name", "step_s"),
    [
        ("even", lambda step: 1.0),
        ("the first step warms up", lambda step: 5.0 if step == 0 else 1.0),
        ("slower soon", lambda step: 1.0 if step < 4 else 1.3),
        ("slower late", lambda step: 1.0 if step < 150 else 2.0),
        ("faster", lambda step: 2.0 if step < 40 else 1.0),
    ],
)
def test_the_time_there_is_is_used(name: str, step_s: Callable[[int], float]) -> None:
    """Whatever the pace does: never over the deadline, most of the time used, and the rate nearly run down."""
    now, deadline, n_laid = 0.0, 300.0, 1000
    pace, n_steps, step = Pace(0, now), n_laid, 0
    while step < n_steps:
        last, now = rate(step, n_steps), now + step_s(step)
        step += 1
        n_steps = pace.fit(step, n_steps, n_laid, now, deadline)
    assert 0.75 * deadline < now <= deadline
    assert last < 0.25


def test_what_is_laid_out_is_not_exceeded() -> None:
    pace, n_steps = Pace(0, 0.0), 20
    for step in range(1, 20):
        n_steps = pace.fit(step, n_steps, 20, float(step), 1000.0)
        assert n_steps == 20


def test_deadline_shortens_the_schedule(
    llama: Base, learn: Callable[..., TrainReport], settings: Callable[..., Options], tmp_path: Path
) -> None:
    """Where time allows fewer steps, fewer are planned, and training ends with the last of them, its rate
    fallen to the end. Where there is no time left, a step under way is the last."""
    options = settings(epochs=5000, learning_rate=1e-2, pack_tokens=64)
    told: list[Progress] = []
    deadline = time.monotonic() + 2
    model = new_adapter(llama, 4, 0)
    report = learn(llama, model, options, deadline=deadline, on_progress=told.append)
    assert 3 < report.n_steps < 5000
    assert (told[-1].done, told[-1].total) == (report.n_steps, report.n_steps)
    assert told[0].total > 5000  # what is laid out
    assert report.losses[-1] < report.losses[0]
    shutil.rmtree(tmp_path / "checkpoint")
    llama.model = remove_adapter(model)
    late = learn(llama, new_adapter(llama, 4, 1), options, deadline=time.monotonic() - 1)
    assert late.n_steps == 1


@pytest.mark.parametrize("fault_at", [1, 2])
def test_out_of_memory_halves_the_micro_batch(
    tiny: Callable[[str], Base], chat_rows: ChatRows, fault_at: int
) -> None:
    """A step that runs out of memory, at its first part or later, is tried again in smaller parts and
    comes to the same gradients."""
    import torch

    def gradients(parts: int, fault_at: int) -> tuple[float, int, list[int], dict[str, Any]]:
        base = tiny("llama")
        model = new_adapter(base, 4, 0)
        sizes: list[int] = []

        def run_out(module: Any, args: Any, kwargs: Any) -> None:
            sizes.append(kwargs["input_ids"].shape[1])
            if len(sizes) == fault_at:
                raise torch.OutOfMemoryError("CUDA out of memory")

        base.model.model.register_forward_pre_hook(run_out, with_kwargs=True)
        loss, fitted, _ = _step(base, model, [chat_rows(base, PAIRS)], 256, parts)
        found = {name: value.grad for name, value in weights(model).items()}
        assert all(value is not None for value in found.values())
        return loss, fitted, sizes, found

    loss, _, whole, expected = gradients(1, 0)
    assert whole == [256]
    again, fitted, sizes, found = gradients(fault_at, fault_at)
    assert fitted == 2 * fault_at
    assert len(sizes) == fault_at + min(fitted, len(PAIRS))
    assert max(sizes[fault_at:]) < max(sizes[:fault_at])
    assert again == pytest.approx(loss, abs=1e-5)
    assert apart(found, expected) < 1e-5


def test_what_did_not_fit_is_gone_before_it_is_tried_again(
    llama: Base, chat_rows: ChatRows
) -> None:
    """Else the smaller parts would have to fit beside the larger ones."""
    import torch

    fault: list[Callable[[], object]] = []
    left: list[bool] = []

    def watch(module: Any, args: Any, made: Any) -> None:
        def run_out(gradient: Any) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        left.append(any(hook() is not None for hook in fault))
        if not fault:
            made.register_hook(run_out)
            fault.append(weakref.ref(run_out))  # the graph holds it, and nothing else

    llama.model.get_output_embeddings().register_forward_hook(watch)
    _step(llama, new_adapter(llama, 4, 0), [chat_rows(llama, PAIRS)], 256, 1)
    assert left == [False, False, False]


def test_out_of_memory_with_one_row_is_explained(
    llama: Base, learn: Callable[..., TrainReport], options: Options
) -> None:
    """Where not even one row fits, the message says what to make smaller."""
    import torch

    def run_out(module: Any, args: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = new_adapter(llama, 4, 0)
    llama.model.model.register_forward_pre_hook(run_out)
    with pytest.raises(LearnctlError, match="out of GPU memory with a single row") as caught:
        learn(llama, model, options)
    assert "rank" in caught.value.hint


def test_what_takes_the_memory_while_it_trains_costs_nothing(
    llama: Base, learn: Callable[..., TrainReport], options: Options
) -> None:
    """It did fit before, so the run is not given up: it goes on another time."""
    import torch

    steps: list[int] = []

    def run_out(module: Any, args: Any) -> None:
        if len(steps) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    model = new_adapter(llama, 4, 0)
    hook = llama.model.model.register_forward_pre_hook(run_out)
    with pytest.raises(Interrupted, match="out of GPU memory at step 2 of"):
        learn(llama, model, options, on_step=steps.append)
    hook.remove()
    report = learn(llama, model, options, on_step=steps.append)
    assert steps == list(range(1, report.n_steps + 1))


def load_nf4(folder: Path) -> Base:
    pytest.importorskip("bitsandbytes", reason="no bitsandbytes on this platform")
    base = bases.load(str(folder), quantize="nf4", device="cpu")
    assert base.quantization == "nf4"
    return base


def test_nf4(wide_folder: Path, learn: Callable[..., TrainReport], options: Options) -> None:
    """A base held in NF4 has four-bit layers in its blocks, learns, and is not changed by it."""
    import torch

    base = load_nf4(wide_folder)
    layers = [m for m in base.model.modules() if type(m).__name__ == "Linear4bit"]
    assert len(layers) == 2 * len(LAYERS)
    held = [layer.weight.data.clone() for layer in layers]
    assert {value.dtype for value in held} == {torch.uint8}
    answered = logits(base.model)

    model = new_adapter(base, 8, 0)
    assert len(weights(model)) == 2 * 2 * len(LAYERS)
    assert {value.dtype for value in weights(model).values()} == {torch.float32}
    report = learn(base, model, options)
    assert report.losses[-1] < 0.75 * report.losses[0]
    remove_adapter(model)
    assert all(torch.equal(layer.weight.data, was) for layer, was in zip(layers, held, strict=True))
    assert torch.equal(logits(base.model), answered)


def test_nf4_learns_the_same_after_it_has_answered(wide_folder: Path, chat_rows: ChatRows) -> None:
    """Whether a base in NF4 was asked something before makes no difference to what is trained."""

    def gradients(ask_first: bool) -> dict[str, Any]:
        base = load_nf4(wide_folder)
        if ask_first:
            logits(base.model)
        model = new_adapter(base, 4, 0)
        model.train()
        _step(base, model, [chat_rows(base, PAIRS)], 256, 1)
        return {name: value.grad for name, value in weights(model).items()}

    assert apart(gradients(True), gradients(False)) < 1e-5


def test_an_adapter_is_not_rounded_to_the_base(tiny: Callable[[str], Base], tmp_path: Path) -> None:
    """As on a GPU, where the base is in bf16: what is served is what was examined, to the bit."""
    import torch

    base = tiny("llama")
    model = new_adapter(base, 4, 0)
    for value in weights(model).values():
        value.data.normal_(std=0.02)
    save_adapter(model, tmp_path / "saved")
    half = tiny("llama")
    half.model.to(torch.bfloat16)
    loaded = load_adapter(half, tmp_path / "saved")
    saved = read_weights(tmp_path / "saved")
    found = {name.replace(".default", ""): value for name, value in weights(loaded).items()}
    assert found.keys() == saved.keys()
    for name, value in saved.items():
        assert value.dtype == found[name].dtype == torch.float32
        assert value.equal(found[name]), name
