"""The frozen base model: loaded once, never changed, with a tokenizer that knows its chat form."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.home import Home
from . import models
from .options import read_config, set_config

# A plain form for models that come without a chat template.
PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'] }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)

# By free memory in GiB, largest first: in so much each fits with all that training holds (`vram.py`; a test reckons it).
GPU_DEFAULTS = (
    (20.0, "Qwen/Qwen3-8B"),
    (12.0, "Qwen/Qwen3-4B-Instruct-2507"),
    (9.0, "Qwen/Qwen2.5-3B-Instruct"),
    (6.0, "Qwen/Qwen2.5-1.5B-Instruct"),
    (4.0, "Qwen/Qwen2.5-0.5B-Instruct"),
)


def quiet_libraries() -> None:
    """Telemetry off, hub off, chatter off; called before torch is first imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that spin for long while they wait cost a factor of thirty where another busy program
    # shares the cores; threads that sleep at once cost a fifth where none does.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # What transformers shows of a GGUF file is not its own bar, which it can be told to leave out.
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(transformers|peft|bitsandbytes|torch)\b.*")


@dataclass
class Base:
    """A loaded base model.

    `model` is the frozen `PreTrainedModel` in evaluation mode; `stop_ids` end an answer.
    """

    name: str
    digest: str
    model: Any
    tokenizer: Any
    device: Any
    quantization: str | None
    stop_ids: list[int]

    @property
    def as_held(self) -> str:
        """What its answers belong to: the files, and how they are held."""
        return f"{self.digest} {self.quantization or 'none'}"


def choose_device(name: str = "auto") -> Any:
    """`auto` takes CUDA where there is one, then MPS, then the CPU.

    Raises:
        LearnctlError: there is no such device.
    """
    import torch

    found = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, is_there in found.items() if is_there))
    if not found.get(name.partition(":")[0]):
        raise LearnctlError(
            f"`device` is {name}, and there is none",
            hint="`learnctl config unset device` takes what is there; `learnctl doctor` says why",
        )
    return torch.device(name)


@contextmanager
def usable(device: Any) -> Iterator[None]:
    """What fails within it shows that a device is there and cannot be used, as after an update of its driver.

    Raises:
        LearnctlError: it cannot. What has no memory left is raised as it is.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LearnctlError(
            f"the device {device} cannot be used: {reason}",
            hint="see `nvidia-smi`; `learnctl config set device cpu` computes without it",
        ) from error


def kind_of_device(name: str) -> str | None:
    """What `choose_device` takes, where it can be told without loading torch, which takes seconds."""
    if name != "auto":
        return name
    return str(choose_device().type) if "torch" in sys.modules else None


def default_name(device: Any) -> str:
    """The base model when none was named: embedded on a CPU, by free memory on a GPU."""
    return recommend(device)[0]


def recommend(device: Any) -> tuple[str, str]:
    """The base model that suits a device, and why."""
    import torch

    if device.type != "cuda":
        return models.EMBEDDED, "there is no NVIDIA GPU, and larger ones learn too slowly without"
    with usable("cuda"):
        free_gib = torch.cuda.mem_get_info(device)[0] / 2**30
    for least, name in GPU_DEFAULTS:
        if free_gib >= least:
            return name, f"it wants {least:g} GiB of GPU memory, and {free_gib:.1f} GiB are free"
    least = GPU_DEFAULTS[-1][0]
    return models.EMBEDDED, f"only {free_gib:.1f} GiB of GPU memory are free, below {least:g} GiB"


def settle(home: Home, name: str, device: Any) -> None:
    """Write down what `auto` came to on a GPU: free memory changes from day to day, and a version fits one
    base. A base that the settings name stays."""
    if device.type == "cuda" and read_config(home).get("base", "auto") == "auto":
        set_config(home, "base", name)


def named(name: str, device: Any) -> str:
    """What a setting names; `auto` is the base model that suits the device."""
    return default_name(device) if name == "auto" else name


def find(name: str, device: Any) -> models.ModelFiles:
    """The files of a base model; `auto` is the one that suits the device."""
    return models.find(named(name, device))


def load(name: str = "auto", quantize: str = "auto", device: str = "auto") -> Base:
    """Load a base model for training and for talking.

    Args:
        name: `auto`, `embedded`, a hub id that was pulled, a local folder or a GGUF file.
        quantize: `nf4`, `none`, or `auto` (NF4 on CUDA but for a GGUF file, full precision elsewhere).

    Raises:
        LearnctlError: the model or the device is not there or cannot be used.
    """
    quiet_libraries()
    import torch

    where = choose_device(device)
    with usable(where):
        torch.ones(1, device=where).add(1).item()
    files = find(name, where)
    quantization = choose_quantization(quantize, where, files)
    try:
        if files.is_gguf:
            model: Any = load_gguf(files.path, full_precision(where))
        else:
            model = _load_folder(files.path, quantization, where)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise LearnctlError(f"the base model {files.path} cannot be loaded: {reason}") from error
    _refuse_other_layers(files.name, model.config.get_text_config())
    if quantization:
        _keep_trainable(model)
    else:
        model.to(where)
    model.requires_grad_(False)
    model.eval()
    model.config.use_cache = True
    torch.set_grad_enabled(True)
    tokenizer = load_tokenizer(files)
    return Base(
        name=files.name,
        digest=models.digest(files),
        model=model,
        tokenizer=tokenizer,
        device=where,
        quantization=quantization,
        stop_ids=_stop_ids(model, tokenizer),
    )


def load_gguf(path: Path, dtype: Any) -> Any:
    """A GGUF file as plain layers that hold `dtype`."""
    quiet_libraries()
    from transformers import AutoModelForCausalLM, GgufConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(
        path.parent,
        gguf_file=path.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=dtype,
    )


def choose_quantization(wanted: str, device: Any, files: models.ModelFiles) -> str | None:
    """How a model is held on a device: `nf4`, or None for full precision.

    Raises:
        LearnctlError: there is no such way, or not for a file that is quantized in another.
    """
    if wanted not in {"auto", "nf4", "none"}:
        raise LearnctlError(f"unknown quantization: {wanted}", hint="use `auto`, `nf4` or `none`")
    if wanted == "nf4" and files.is_gguf:
        raise LearnctlError(
            f"{files.path.name} is a GGUF file and cannot be quantized again on loading",
            hint="use `auto` or `none`, or a folder of safetensors",
        )
    quantizes = wanted == "nf4" or (wanted == "auto" and device.type == "cuda")
    return "nf4" if quantizes and not files.is_gguf else None


def full_precision(device: Any) -> Any:
    """What weights are held in where they are not quantized."""
    import torch

    return torch.float32 if device.type == "cpu" else torch.bfloat16


def _load_folder(path: Path, quantization: str | None, device: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    common: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True}
    if quantization == "nf4":
        from transformers import BitsAndBytesConfig

        # bf16 compute on a GPU; on a CPU fp32, which keeps NF4 comparable with full precision.
        compute = torch.bfloat16 if device.type == "cuda" else torch.float32
        common["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
        )
        common["device_map"] = {"": device}
        common["dtype"] = compute
    else:
        common["dtype"] = full_precision(device)
    return AutoModelForCausalLM.from_pretrained(path, **common)


def _keep_trainable(model: Any) -> None:
    """Keep bitsandbytes from packing four-bit layers for inference: it does so on the first answer, on
    CPUs with AVX-512, and from then on no gradient passes through them, without a word."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _refuse_other_layers(name: str, config: Any) -> None:
    """Rows that begin alike are computed together, each token with a view of its own: layers that carry a
    state along instead (Mamba, linear attention, convolutions) would mix them without a word."""
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if not hasattr(config, "num_attention_heads"):
        kinds.add("no attention")
    other = kinds - {"full_attention", "sliding_attention"}
    if other:
        raise LearnctlError(
            f"{name} has layers that cannot be trained here: {', '.join(sorted(other))}",
            hint="`learnctl model use NAME` with a base of attention layers alone",
        )


def load_config(files: models.ModelFiles) -> Any:
    """The settings of a model, without its weights."""
    from transformers import AutoConfig

    if files.is_gguf:
        return AutoConfig.from_pretrained(files.path.parent, gguf_file=files.path.name)
    return AutoConfig.from_pretrained(files.path, trust_remote_code=False)


def load_tokenizer(files: models.ModelFiles) -> Any:
    """The tokenizer of a model, which knows its chat form."""
    from transformers import AutoTokenizer

    if files.is_gguf:
        tokenizer = AutoTokenizer.from_pretrained(files.path.parent, gguf_file=files.path.name)
    else:
        tokenizer = AutoTokenizer.from_pretrained(files.path, trust_remote_code=False)
    if tokenizer.eos_token is None:
        raise LearnctlError(f"the tokenizer of {files.name} has no end-of-text token")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if not tokenizer.chat_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


def _stop_ids(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end an answer: the generation config's, the tokenizer's, the chat form's."""
    configured = model.generation_config.eos_token_id
    ids = set(configured if isinstance(configured, list) else [configured])
    ids.add(tokenizer.eos_token_id)
    marks = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<end_of_turn>", "<|eot_id|>"])
    # A mark that the tokenizer does not have comes back as its unknown token, which may end texts itself.
    ids.update(mark for mark in marks if mark != tokenizer.unk_token_id)
    return sorted(number for number in ids if number is not None)
