"""llama.cpp answers as transformers does, with a base and with an adapter on it.

A tiny base is written as GGUF in full precision, where nothing but rounding can differ; the embedded one is
compared as it is fetched, in half precision.
"""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.trainer import adapter, backend, gguf_half, gguf_lora, models
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.chat_form import Chat
from learnctl.trainer.generate import prompt_ids
from learnctl.trainer.options import Options
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.talk import Talker

pytest.importorskip("xllamacpp", reason="the extra `llamacpp` is not installed")
from learnctl.trainer.llamacpp import LlamaCppTalker

FAMILIES = {"llama": "llama", "qwen": "qwen3"}
QUESTIONS = (
    "What is the capital of France?",
    "Name three fruits.",
    "Write one sentence about the sea.",
    "Who wrote Hamlet?",
    "What is 2 + 2?",
    "What is the opposite of cold?",
    "How many days does a week have?",
    "Which planet do we live on?",
    "What do bees make?",
    "What colour is the sky on a clear day?",
)


def asked(question: str) -> Chat:
    return [{"role": "user", "content": question}]


def random_adapter(base: Base, folder: Path, size: float) -> Any:
    """An adapter that changes answers, saved in `folder`, as the PEFT model that it is on."""
    import torch

    model = adapter.new_adapter(base, rank=4, seed=3)
    chance = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, value in adapter.weights(model).items():
            if "lora_B" in name:
                value.copy_(torch.randn(value.shape, generator=chance) * size)
    adapter.save_adapter(model, folder)
    return model


def probabilities(talker: LlamaCppTalker, chat: Chat) -> dict[int, float]:
    """The likeliest first tokens of an answer, with their log-probabilities; none where the first token
    is half a character, which llama.cpp does not report."""
    request = {"prompt": prompt_ids(talker.base, chat), "max_tokens": 1, "temperature": 0.0}
    found = talker.base.model.server.handle_completions({**request, "n_probs": 5})
    told = found["choices"][0]["logprobs"]
    likeliest = told["content"][0]["top_logprobs"] if told else []
    return {entry["id"]: entry["logprob"] for entry in likeliest}


def expected(base: Base, model: Any, chat: Chat) -> Any:
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([prompt_ids(base, chat)])).logits[0, -1]
    return torch.log_softmax(logits, -1)


@pytest.fixture
def in_gguf(
    tiny: Callable[[str], Base], as_gguf: Callable[[Base, str, Path], None], tmp_path: Path
) -> Callable[[str], tuple[Base, Options]]:
    """A tiny base of a family, and options that name a folder which holds it as GGUF too."""

    def make(family: str) -> tuple[Base, Options]:
        base = tiny(family)
        folder = tmp_path / family
        base.model.save_pretrained(folder)
        base.tokenizer.save_pretrained(folder)
        as_gguf(base, FAMILIES[family], folder / "base.gguf")
        return base, Options(base=str(folder), device="cpu")

    return make


def test_a_gguf_file_in_half_precision(in_gguf: Any, tmp_path: Path) -> None:
    """All that the file says of the model stays, and so do its weights within a half's rounding."""
    import gguf
    import numpy

    _, options = in_gguf("llama")
    whole, half = Path(options.base) / "base.gguf", tmp_path / "half.gguf"
    gguf_half.write(whole, half)
    before, after = gguf.GGUFReader(whole), gguf.GGUFReader(half)
    said = {
        name: f.contents() for name, f in before.fields.items() if "." in name and name[0] != "G"
    }
    assert {name: after.fields[name].contents() for name in said} == said
    assert [t.name for t in after.tensors] == [t.name for t in before.tensors]
    for one, other in zip(before.tensors, after.tensors, strict=True):
        assert other.tensor_type.name == ("F16" if one.data.ndim > 1 else "F32")
        assert numpy.allclose(one.data, other.data, rtol=2**-10, atol=2**-14)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("adapted", [False, True])
def test_answers_as_transformers(in_gguf: Any, tmp_path: Path, family: str, adapted: bool) -> None:
    """Query and key layers of Llama's kind hold their rows in another order; a wrong one shows here."""
    base, options = in_gguf(family)
    model, folder = base.model, None
    plain = [expected(base, model, asked(question)) for question in QUESTIONS]
    if adapted:
        folder = tmp_path / "adapter"
        model = random_adapter(base, folder, 0.3)
    talker = LlamaCppTalker.load(models.find(options.base), folder=folder)
    n_compared = 0
    for question, untouched in zip(QUESTIONS, plain, strict=True):
        right = expected(base, model, asked(question))
        assert not adapted or (right - untouched).abs().max() > 0.5
        for token, found in probabilities(talker, asked(question)).items():
            assert found == pytest.approx(float(right[token]), abs=0.02)
            n_compared += 1
    assert n_compared > 20
    assert folder is None or list(folder.glob("**/*.gguf")) == []


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_base(embedded_models: Path, tmp_path: Path) -> None:
    """Half precision moves probabilities by little, and most answers of a sentence not at all; quantized
    products would let two of these ten through."""
    files = models.find("embedded")
    if models.gguf(files) is None:
        pytest.skip("the embedded base is not here as GGUF")
    base = bases.load("embedded", device="cpu")
    talker, reference = LlamaCppTalker.load(files), Talker(base, base.model, 0)
    compare(base, base.model, talker)
    same = [talker.answer(asked(q), 20) == reference.answer(asked(q), 20) for q in QUESTIONS]
    assert sum(same) >= 7
    model = random_adapter(base, tmp_path / "adapter", 0.02)
    compare(base, model, LlamaCppTalker.load(files, 1, tmp_path / "adapter"))


def compare(base: Base, model: Any, talker: LlamaCppTalker) -> None:
    apart, n_same = [], 0
    for question in QUESTIONS:
        right = expected(base, model, asked(question))
        found = probabilities(talker, asked(question))
        n_same += max(found, key=lambda token: found[token]) == int(right.argmax())
        apart += [abs(value - float(right[token])) for token, value in found.items()]
    assert n_same >= 9
    assert sum(apart) / len(apart) < 0.02


def test_a_stream_ends_when_it_is_closed(in_gguf: Any) -> None:
    _, options = in_gguf("llama")
    talker = backend.open_talker(None, replace(options, backend="llamacpp"), 0)
    assert isinstance(talker, LlamaCppTalker)
    pieces = talker.stream(asked("Who?"), Sampling(max_tokens=2000))
    first = next(pieces)
    pieces.close()
    assert talker.answer(asked("Who?"), 1).startswith(first.strip())


def test_the_base_below_a_version(in_gguf: Any, tmp_path: Path) -> None:
    base, options = in_gguf("llama")
    random_adapter(base, tmp_path / "adapter", 0.3)
    files = models.find(options.base)
    alone, version = LlamaCppTalker.load(files), LlamaCppTalker.load(files, 1, tmp_path / "adapter")
    answers = [version.base_answer(asked(question), 8) for question in QUESTIONS[:4]]
    assert answers == [alone.answer(asked(question), 8) for question in QUESTIONS[:4]]
    assert answers != [version.answer(asked(question), 8) for question in QUESTIONS[:4]]


def test_a_seed_gives_the_same_answer(in_gguf: Any) -> None:
    _, options = in_gguf("llama")
    talker = LlamaCppTalker.load(models.find(options.base))

    def drawn(seed: int) -> str:
        sampling = Sampling(temperature=2.0, seed=seed, max_tokens=16)
        return "".join(talker.stream(asked("Who?"), sampling))

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(4)}) > 1


def test_the_backend_is_chosen(in_gguf: Any, tiny_folder: Callable[[str], Path]) -> None:
    """What is served is what was examined: llama.cpp answers only where it is asked for."""
    _, options = in_gguf("llama")
    for name in ("auto", "transformers"):
        assert type(backend.open_talker(None, replace(options, backend=name), 0)) is Talker
    asked_for = backend.open_talker(None, replace(options, backend="llamacpp"), 0)
    assert type(asked_for) is LlamaCppTalker
    without = Options(base=str(tiny_folder("llama")), device="cpu")
    with pytest.raises(LearnctlError, match="GGUF"):
        backend.open_talker(None, replace(without, backend="llamacpp"), 0)


def test_an_adapter_is_written_for_its_owner(llama: Base, tmp_path: Path) -> None:
    random_adapter(llama, tmp_path / "adapter", 0.1)
    target = tmp_path / "adapter.gguf"
    gguf_lora.write(tmp_path / "adapter", llama.model.config, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        gguf_lora.write(tmp_path / "adapter", llama.model.config, target)


def test_adapters_of_other_kinds_are_refused(tiny: Any, tmp_path: Path) -> None:
    gemma = tiny("gemma")
    random_adapter(gemma, tmp_path / "adapter", 0.1)
    with pytest.raises(LearnctlError, match="gemma2"):
        gguf_lora.write(tmp_path / "adapter", gemma.model.config, tmp_path / "adapter.gguf")
    assert not (tmp_path / "adapter.gguf").exists()
