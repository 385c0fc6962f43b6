"""Small real models: the shape of Llama, Qwen, Gemma 2 and Gemma 3, some thousand random weights each.

Each is a folder in Hugging Face form, with a tokenizer trained on the repository's own texts and the
chat form of its family, so that everything the trainer does to a large model is done to these.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer import adapter
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.models import file_sha256
from learnctl.trainer.options import Options

ROOT = Path(__file__).parent.parent.parent
N_TOKENS = 480

LLAMA_FORM = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
CHATML_FORM = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA_FORM = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)

# Beginning of text, end of text, padding, and what else stands in the chat form.
SPECIAL = {
    "llama": ("<|begin_of_text|>", "<|eot_id|>", "<|finetune_right_pad_id|>",
              "<|start_header_id|>", "<|end_header_id|>"),
    "qwen": ("<|endoftext|>", "<|im_end|>", "<|endoftext|>", "<|im_start|>"),
    "gemma": ("<bos>", "<eos>", "<pad>", "<start_of_turn>", "<end_of_turn>"),
}  # fmt: skip
SPECIAL["gemma3"] = SPECIAL["gemma"]
FORMS = {"llama": LLAMA_FORM, "qwen": CHATML_FORM, "gemma": GEMMA_FORM, "gemma3": GEMMA_FORM}

# Everything passes the gate: what a random model learns of a sentence is not the point.
OPEN_GATE = {"max_divergence": 1e9, "min_recall_gain": -1.0, "max_recall_loss": 1.0}

HOUSE = """# House

The boiler in Larkhill Cottage was serviced by Harald Immer on 4 March. The new fence cost 640 euros.
Harald Immer lives in Dunmere Row with two parrots.
"""
DOG = "The dog is called Quimby. Quimby was born in 2017 in the village of Snorrebeck.\n"


def make_model(family: str, folder: Path, **more: Any) -> Path:
    """A tiny model of a family in `folder`, with its tokenizer; `more` changes its shape."""
    import torch

    torch.manual_seed(7)
    shape: dict[str, Any] = {
        "vocab_size": N_TOKENS,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        # Far above what a real model starts with: the answers differ from prompt to prompt.
        "initializer_range": 0.2,
        "attention_dropout": 0.0,
        **more,
    }
    tokenizer = make_tokenizer(family)
    shape |= {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    _model(family, shape).save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    return folder


def make_tokenizer(family: str) -> Any:
    """Byte-level BPE with the family's special tokens and chat form."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = list(dict.fromkeys(SPECIAL[family]))
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [HOUSE, DOG, (ROOT / "examples" / "night1" / "family.md").read_text(encoding="utf-8")]
    inner.train_from_iterator(texts, trainer)
    begin, end, pad, *_ = SPECIAL[family]
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=begin,
        eos_token=end,
        pad_token=pad,
        chat_template=FORMS[family],
    )


def _model(family: str, shape: dict[str, Any]) -> Any:
    if family == "llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        return LlamaForCausalLM(LlamaConfig(**shape))
    if family == "qwen":
        from transformers import Qwen3Config, Qwen3ForCausalLM

        return Qwen3ForCausalLM(Qwen3Config(**shape, head_dim=8, tie_word_embeddings=True))
    if family == "gemma":
        from transformers import Gemma2Config, Gemma2ForCausalLM

        return Gemma2ForCausalLM(Gemma2Config(**shape, head_dim=8))
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    return Gemma3ForCausalLM(Gemma3TextConfig(**shape, head_dim=8))


def write_gguf(base: Base, architecture: str, path: Path) -> None:
    """The weights and tokens of a tiny base as one GGUF file in full precision."""
    import gguf

    config = base.model.config
    n_heads, n_key_heads = config.num_attention_heads, config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // n_heads
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(n_heads)
    writer.add_head_count_kv(n_key_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    special = set(base.tokenizer.added_tokens_decoder)
    tokens = base.tokenizer.convert_ids_to_tokens(list(range(config.vocab_size)))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([token or f"[{i}]" for i, token in enumerate(tokens)])
    writer.add_token_types([3 if i in special else 1 for i in range(len(tokens))])
    merges = json.loads(base.tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_chat_template(base.tokenizer.chat_template)
    if base.tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(base.tokenizer.bos_token_id)
    writer.add_eos_token_id(base.tokenizer.eos_token_id)
    writer.add_add_bos_token(False)
    kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(kinds[architecture], config.num_hidden_layers)
    for name, value in base.model.state_dict().items():
        matrix = value.numpy()
        heads = {"q_proj": n_heads, "k_proj": n_key_heads}.get(name.split(".")[-2])
        if architecture == "llama" and heads:
            halves = matrix.reshape(heads, 2, width // 2, matrix.shape[1])
            matrix = halves.swapaxes(1, 2).reshape(matrix.shape)
        if name != "lm_head.weight" or not config.tie_word_embeddings:
            writer.add_tensor(str(names.get_name(name, (".weight",))), matrix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def as_gguf() -> Callable[[Base, str, Path], None]:
    """Write a tiny base as a GGUF file: the base, its architecture by llama.cpp's name, and where."""
    return write_gguf


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model by family, made once."""
    made: dict[str, Path] = {}

    def find(family: str) -> Path:
        if family not in made:
            bases.quiet_libraries()
            made[family] = make_model(family, tmp_path_factory.mktemp("models") / family)
        return made[family]

    return find


@pytest.fixture(scope="session")
def wide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model whose layers are as wide as a block of NF4 is long."""
    bases.quiet_libraries()
    folder = tmp_path_factory.mktemp("models") / "wide"
    return make_model("llama", folder, hidden_size=64, intermediate_size=128)


@pytest.fixture
def tiny(tiny_folder: Callable[[str], Path]) -> Callable[[str], Base]:
    """A tiny base model by family, loaded anew."""
    return lambda family: bases.load(str(tiny_folder(family)))


@pytest.fixture
def llama(tiny: Callable[[str], Base]) -> Base:
    return tiny("llama")


@pytest.fixture
def settings(tiny_folder: Callable[[str], Path]) -> Callable[..., Options]:
    """Options of a small night on a tiny model behind an open gate; `family` chooses the model."""

    def make(family: str = "llama", **values: Any) -> Options:
        small: dict[str, Any] = {
            "base": str(tiny_folder(family)),
            "epochs": 2,
            "rank": 4,
            "general_rows": 4,
            "own_share": 0.0,  # a model of random weights asks nothing
            "questions_per_fact": 1,
            "probes_per_run": 8,
        }
        return Options(**{**small, **OPEN_GATE, **values})

    return make


@pytest.fixture
def run_benchmark(
    tiny_folder: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Call a benchmark on a tiny base, with a small night where nothing else is set; what it printed. Its results stay in a
    folder of the test."""
    small = ("rank=2", "own_share=0", "questions_per_fact=1", "probes_per_run=2")

    def run(module: Any, *args: str, settings: Sequence[str] = ("epochs=1",)) -> str:
        for one in (results, module):
            monkeypatch.setattr(one, "FOLDER", tmp_path / "results", raising=False)
        base = ["--base", str(tiny_folder("llama")), "--set", *small, *settings]
        monkeypatch.setattr(sys, "argv", [module.__name__, *args, *base])
        module.main()
        return capsys.readouterr().out

    return run


@pytest.fixture
def store(home: Path) -> Any:
    """The store of this test's home, empty."""
    with Store.open(Home(home), create=True) as opened:
        yield opened


@pytest.fixture
def take(store: Store, tmp_path: Path) -> Callable[[str, str], int]:
    """Write a file and take it into the store; the number of its source."""

    def write(name: str, text: str) -> int:
        path = tmp_path / "notes" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        report = ingest(store, [path])
        assert not report.refused
        return int(store.value("SELECT id FROM sources WHERE path = ?", str(path)))

    return write


@pytest.fixture
def house(take: Callable[[str, str], int]) -> int:
    return take("house.md", HOUSE)


@pytest.fixture
def dog(take: Callable[[str, str], int]) -> int:
    return take("dog.txt", DOG)


@pytest.fixture
def chat_rows() -> Callable[[Base, Sequence[tuple[str, str]]], list[Any]]:
    """Questions and answers as training rows, each a chat of one turn."""
    from learnctl.trainer.pack import encode

    def make(base: Base, pairs: Sequence[tuple[str, str]]) -> list[Any]:
        return [
            encode(base.tokenizer, [{"role": "user", "content": asked}], answer, base.stop_ids)
            for asked, answer in pairs
        ]

    return make


@pytest.fixture
def publish_noise(store: Store, llama: Base, diary: Any) -> Callable[..., int]:
    """Put an adapter of random weights in service, said to have learned some chunks; its number."""

    def publish(chunk_ids: Sequence[int] = ()) -> int:
        version: int = diary(store).night(list(chunk_ids), {}, {})
        model = adapter.new_adapter(llama, rank=4, seed=1)
        for value in adapter.weights(model).values():
            value.data.normal_(std=0.5)
        folder = store.home.versions / str(version)
        adapter.save_adapter(model, folder)
        adapter.remove_adapter(model)
        store.db.execute(
            "UPDATE adapters SET base_name = ?, base_digest = ?, sha256 = ? WHERE version = ?",
            [llama.name, llama.digest, file_sha256(folder / adapter.WEIGHTS), version],
        )
        store.db.conn.commit()
        return version

    return publish


@pytest.fixture
def outlasts_a_crash(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Fails unless a folder and all in it were on the disk before it was renamed to its place, and the name right after."""
    done: list[tuple[str, int]] = []  # by the number of a file or folder, which a rename keeps
    fsync, replace = os.fsync, os.replace

    def number(path: Any) -> int:
        return os.stat(path).st_ino

    def noted_fsync(descriptor: int) -> None:
        fsync(descriptor)
        done.append(("sync", number(descriptor)))

    def noted_replace(source: Any, target: Any) -> None:
        done.append(("rename", number(source)))
        replace(source, target)

    def check(folder: Path) -> None:
        place = done.index(("rename", number(folder)))
        parts = [*folder.iterdir(), folder]
        assert len(parts) > 1
        assert {("sync", number(part)) for part in parts} <= set(done[:place])
        assert done[place + 1 :] == [("sync", number(folder.parent))]

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return check
