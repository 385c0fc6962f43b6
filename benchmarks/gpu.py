"""What a GPU makes of it: training steps of a model of eight billion parameters in NF4, and a whole night in NF4.

    python -m benchmarks.gpu [--steps 20] [--model FOLDER] [--set option=value ...] [--json]
    python -m benchmarks.gpu --tiny        (the same program on the CPU, with a model of some thousand weights)

The large model has the shape of Llama 3.1 8B and random weights, which train as fast as any. They are written shard by
shard (16 GB, in the temporary folder that TMPDIR names) and loaded as every base is, so that no more than one shard is
ever held in more than four bits. Rows are what needs no model of `benchmarks/data/tuning_notes`, in the loop and the
packs that a night trains in; the first step warms up and is not timed. `--model` names a base on this machine, by its folder
or as `learnctl model list` does: the first of these notes is taken in, a night passes, and its questions are asked
before and after.
"""

import argparse
import gc
import json
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from learnctl.memory.chunk import document_chunks
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.readers import read
from learnctl.memory.records import Document
from learnctl.memory.store import Store
from learnctl.trainer import adapter
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate, peak_bytes
from learnctl.trainer.examine import examine
from learnctl.trainer.facts import find_facts
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row, encode, pack
from learnctl.trainer.progress import silent
from learnctl.trainer.stop import StopSignals
from learnctl.trainer.synthesize import deterministic_samples
from learnctl.trainer.train import train

from .recall import OPEN_GATE
from .recipe import notes
from .settings import add_set, changes

LARGE: dict[str, Any] = {
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
}
TINY: dict[str, Any] = {
    "vocab_size": 1024,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
}
# What a night of the tiny model is made with: it is to end soon, and learns nothing.
SMALL_NIGHT: dict[str, Any] = OPEN_GATE | {
    "epochs": 1,
    "rank": 4,
    "general_rows": 2,
    "own_share": 0.0,
    "questions_per_fact": 1,
    "probes_per_run": 4,
}
# A model that has learned nothing knows no other tokens than these; text is spelled in them.
N_TOKENS = 1024
MARKS = ("<|begin|>", "<|end|>")
CHAT_FORM = (
    "{% for message in messages %}<|begin|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|begin|>assistant\n{% endif %}"
)


def write_model(folder: Path, shape: dict[str, Any], device: Any) -> None:
    """A Llama with random weights in bf16, as a folder in Hugging Face form; a shard for each layer."""
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer()
    config = LlamaConfig(
        **shape,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        architectures=["LlamaForCausalLM"],
        dtype=torch.bfloat16,
    )
    with torch.device("meta"):
        parameters = dict(LlamaForCausalLM(config).named_parameters())
    shards = defaultdict(list)
    for name in parameters:
        shards[".".join(name.split(".")[:3])].append(name)

    files: dict[str, str] = {}
    for number, names in enumerate(shards.values(), 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(
            {name: _random(parameters[name].shape, device) for name in names},
            folder / file,
            metadata={"format": "pt"},
        )
        files |= dict.fromkeys(names, file)
    size = sum(2 * one.numel() for one in parameters.values())
    index = {"metadata": {"total_size": size}, "weight_map": files}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _random(shape: Any, device: Any) -> Any:
    """Weights as before any training: matrices small, scales of norms one."""
    import torch

    value = torch.ones(shape, dtype=torch.bfloat16, device=device)
    return (value if value.dim() == 1 else value.normal_(0, 0.02)).cpu()


def _tokenizer() -> Any:
    """Byte-level BPE of the tuning notes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS,
        special_tokens=list(MARKS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    nights, _ = notes()
    inner.train([str(file) for files in nights for file in files], trainer)
    begin, end = MARKS
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=begin,
        eos_token=end,
        pad_token=end,
        chat_template=CHAT_FORM,
    )


def steps(model: str, n_steps: int, options: Options) -> dict[str, Any]:
    """Load a base and train a new adapter on it for so many steps."""
    began = time.monotonic()
    base = bases.load(model, options.quantize, options.device)
    loading_s = time.monotonic() - began
    packs = _packs(base, n_steps * options.packs_per_step, options)
    tuned = adapter.new_adapter(base, options.rank, options.seed)
    clock: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        report = train(
            base, tuned, packs, options, Path(folder) / "checkpoint", StopSignals(), silent,
            on_step=lambda step: clock.append(time.monotonic()),
        )  # fmt: skip
    timed_s = clock[-1] - clock[0]
    share = (n_steps - 1) / n_steps  # every step has about as many tokens
    return {
        "model": Path(model).name,
        "device": str(base.device),
        "held": base.quantization,
        "parameters": _n_parameters(base),
        "steps": report.n_steps,
        "loading_s": round(loading_s, 1),
        "s_per_step": round(timed_s / (n_steps - 1), 3),
        "tokens_per_s": round(share * report.n_tokens / timed_s, 1),
        "losses": [report.losses[0], report.losses[-1]],
        "peak_bytes": peak_bytes(base.device),
    }


def _packs(base: Base, n_packs: int, options: Options) -> list[list[Row]]:
    """So many packs of rows, epoch after epoch: in one pack no row comes twice, which would cost nothing."""
    nights, _ = notes()
    samples = [
        sample
        for files in nights
        for file in files
        for document in read(file)
        if isinstance(document, Document)
        for chunk in document_chunks(document)
        for fact in find_facts(chunk.text)
        for sample in deterministic_samples(fact, told=False, chooser=Random(0))
    ]
    rows = [
        encode(
            base.tokenizer,
            [{"role": "user", "content": sample.prompt}],
            sample.answer,
            base.stop_ids,
        )
        for sample in samples
    ]
    packs: list[list[Row]] = []
    for epoch in count():
        packs += pack(Random(epoch).sample(rows, k=len(rows)), options.pack_tokens)
        if len(packs) >= n_packs:
            return packs[:n_packs]
    raise AssertionError("not reached")


def _n_parameters(base: Base) -> int:
    """As many as the base has; four-bit weights are held two in a byte."""
    return sum(
        value.numel() * (2 if type(value).__name__ == "Params4bit" else 1)
        for name, value in base.model.named_parameters()
        if "lora_" not in name
    )


def night(options: Options) -> dict[str, Any]:
    """Ingest, ask, consolidate, ask, in a home of its own."""
    (first, *_), questions = notes()
    asked = [row for row in questions if row["source"] == first[0].name]
    with tempfile.TemporaryDirectory() as folder, Store.open(Home(Path(folder)), True) as store:
        ingest(store, first)
        before = examine(store, options, asked)
        report = consolidate(store, options)
        after = examine(store, options, asked)
    names = ("decision", "reason", "recall", "divergence", "n_tokens", "tokens_per_s", "elapsed_s")
    return {
        "model": Path(options.base).name,
        "questions": len(asked),
        "right": [before["right"], after["right"]],
        **{name: report[name] for name in (*names, "peak_bytes")},
    }


def show(found: dict[str, Any]) -> None:
    one = found["steps"]
    print(
        f"{'':10}{'parameters':>14}{'held':>6}{'load s':>8}{'steps':>7}{'s/step':>9}{'tokens/s':>10}{'peak GB':>9}"
    )
    print(
        f"{one['device']:10}{one['parameters']:14,}{one['held'] or 'full':>6}{one['loading_s']:8.1f}{one['steps']:7}"
        f"{one['s_per_step']:9.3f}{one['tokens_per_s']:10,.0f}{one['peak_bytes'] / 1e9:9.2f}"
    )
    if one := found["night"]:
        before, after = one["right"]
        print(
            f"a night on {one['model']}: {one['decision']} {one['reason']}".rstrip()
            + f"; right {before:.2f} → {after:.2f} of {one['questions']}, divergence {one['divergence']},"
            f" {one['tokens_per_s']:,.0f} tokens/s, {one['elapsed_s']:.0f} s, peak {one['peak_bytes'] / 1e9:.2f} GB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=20, help="optimizer steps of the large model")
    parser.add_argument("--model", help="a base for a whole night; none without it")
    parser.add_argument("--tiny", action="store_true", help="a tiny model for both, on the CPU")
    add_set(parser)
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    given = parser.parse_args()
    if given.steps < 2:
        parser.error("--steps must be at least 2: the first is not timed")
    bases.quiet_libraries()
    import torch

    if not given.tiny and not torch.cuda.is_available():
        parser.exit(0, "skipped: no CUDA\n")
    device = "cpu" if given.tiny else "cuda"
    options = Options(quantize="nf4", device=device)
    if given.tiny:
        options = replace(options, **SMALL_NIGHT)
    options = replace(options, **changes(given.set))
    with tempfile.TemporaryDirectory(prefix="learnctl-gpu-") as scratch:
        write_model(Path(scratch), TINY if given.tiny else LARGE, device)
        found: dict[str, Any] = {"steps": steps(scratch, given.steps, options), "night": None}
        model = given.model or (scratch if given.tiny else None)
        if model:
            if not given.tiny:
                gc.collect()
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            found["night"] = night(replace(options, base=model))
    print(json.dumps(found)) if given.json else show(found)


if __name__ == "__main__":
    main()
