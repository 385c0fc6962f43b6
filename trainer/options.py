"""Every value a consolidation is made with, in one place: defaults, the config file, and checks.

Precedence is flag, then `config.toml` in the home folder, then the default here.
"""

import math
import os
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import tomlkit

from ..memory.errors import LearnctlError
from ..memory.home import Home, sync
from .models import EMBEDDED

AUTO = "auto"
CHOICES = {
    "quantize": ("auto", "nf4", "none"),
    "device": ("auto", "cpu", "cuda", "mps"),
    "backend": ("auto", "transformers", "llamacpp"),
    "loss": ("ce", "kl", "both"),
    "fast": ("anew", "continue", "stack"),
    "compute": ("auto", "full"),
    "redact": ("secrets", "contacts"),
}

# Kinds of samples. Ready-made ones come from nobody's night. Contrasts, premises, beginnings to complete and gaps to fill are made and
# left out unless asked for: the first until it is measured what they bring for their tokens, the others because it was.
SAMPLE_KINDS = (
    *("question", "pair", "reversed", "across", "note", "cue", "complete", "blank", "absent", "asked", "decided", "told", "voice"),
    *("open", "contrast", "premise", "ready"),
)  # fmt: skip

LEAST = {
    "epochs": 1,
    "rank": 1,
    "fast_rank": 1,
    "pack_tokens": 1,
    "packs_per_step": 1,
    "probes_per_run": 1,
    "night_minutes": 1,
    "questions_per_fact": 0,
    "replay_least": 0,
    "general_weight": 0,
    "max_divergence": 0,
    "max_recall_loss": 0,
    "min_recall_gain": -1,
    "max_file_mb": 0,
}

# What changes no step of training: a run that was stopped goes on under other values of these. Its base
# is known by its digest.
APART_FROM_TRAINING = (
    "base",
    "backend",
    "max_divergence",
    "max_recall_loss",
    "min_recall_gain",
    "suite",
    "night_minutes",
    "max_file_mb",
    "redact",
)


@dataclass(frozen=True)
class Options:
    base: str = "auto"
    """The base model: auto, embedded, a hub id that was pulled, a local folder or a GGUF file."""
    quantize: str = "auto"
    """How the base is held: nf4, none, or auto (NF4 on CUDA but for a GGUF file, full precision elsewhere)."""
    device: str = "auto"
    """Where to compute: auto, cpu, cuda or mps."""
    backend: str = "auto"
    """What answers: transformers, llamacpp (an extra; needs the base as GGUF, and may answer otherwise than
    what was examined), or auto (transformers)."""
    epochs: int | str = AUTO
    """How often what is new is seen, or auto (5 times; up to 12 times in a small night, where there is a budget and time left
    of it, and by a slow pass that takes a version's place)."""
    learning_rate: float | str = AUTO
    """The peak of the cosine schedule, or auto (by the size of the base: 1e-3 below 1 billion parameters, 5e-4
    below 4 billion, else 2e-4)."""
    compute: str = "auto"
    """What the training loop computes in on a CPU: auto (bf16 where the CPU multiplies it in hardware, with
    fp32 masters), or full."""
    rank: int = 32
    """The rank of the adapter; its alpha is twice that."""
    fast: str = "continue"
    """How a fast night trains: continue (the one adapter in service, over what is new), anew (a fresh level on the frozen slow
    one, over all that came since), or stack (a fresh level on all those below, frozen, over what is new)."""
    fast_rank: int = 16
    """The rank of the fast level, beside that of the slow one."""
    pack_tokens: int = 512
    """Tokens in one pack, the fixed shape that training runs in."""
    packs_per_step: int = 1
    """Packs that make one optimizer step."""
    replay_share: float = 0.35
    """Samples of earlier nights, as a share of all that teach in an epoch, going round: the least of them."""
    replay_least: int = 24
    """The fewest samples of earlier nights in an epoch, unless `replay_share` is 0: a night of next to nothing forgets too."""
    replay_of_known: float = 0.75
    """Samples of earlier nights in an epoch, as a share of all that were learned, going round: as far as `night_minutes` have time for
    them; with a budget, all that there is time for. 0: `replay_share` alone."""
    kinds: str = "question,pair,reversed,across,note,cue,absent,asked,decided,told,voice,open"
    """The kinds of samples to train on."""
    general_rows: int = 16
    """The base's own answers to general prompts in every epoch, going round."""
    general_weight: float = 1.5
    """How much a row of the base's own answers counts beside a row that teaches."""
    own_share: float = 0.25
    """Prompts that the base writes and answers by itself, as a share of the samples that teach; up to 128 that go
    round from epoch to epoch."""
    loss: str = "ce"
    """What an answer is trained towards: ce (the source's words), kl (the base's own answer with the
    passage in view), or both (the base's as far as it agrees with the source)."""
    questions_per_fact: int = 3
    """How many questions the base model is asked to write about each fact."""
    max_divergence: float | str = AUTO
    """The gate: nats per token from the base on general prompts that a version may not exceed, or auto (1.0, and after
    three nights no more than these explain)."""
    max_recall_loss: float = 0.1
    """The gate: the share of earlier probes that a version may lose."""
    min_recall_gain: float = 0.15
    """The gate: the share that must have been gained of the new probes that it did not know."""
    suite: str = ""
    """The gate: a folder of sets, as `evaluate --suite` and `--conduct` take, that every slow pass must still answer as well
    as the base; none where it is empty."""
    probes_per_run: int = 96
    """The most probes asked of each of what is new and what is old."""
    night_minutes: int = 30
    """How long a night is meant to be: the budget of scheduled runs and of estimates; without a budget, how long a night may
    become by what it rehearses."""
    max_file_mb: int = 0
    """The largest file that is taken in; 0 is 64 for a document and 4,096 for an export."""
    seed: int = 0
    """Fixes every random choice."""
    redact: str = "secrets"
    """What is replaced in what is taken in: secrets, or contacts (also e-mail, phone and postal addresses)."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise LearnctlError(f"{field.name} must be a number, not {value}")
        for name, least in LEAST.items():
            value = getattr(self, name)
            if value != AUTO and value < least:
                raise LearnctlError(f"{name} must be at least {least}, not {value}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise LearnctlError(
                    f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)}"
                )
        if unknown := set(self.kinds.split(",")) - set(SAMPLE_KINDS):
            raise LearnctlError(
                f"kinds must be of {', '.join(SAMPLE_KINDS)}, with commas alone between them, not"
                f" {', '.join(sorted(unknown)) or 'none'}"
            )
        if not 0 <= self.replay_share < 1:
            raise LearnctlError(f"replay_share must be from 0 to below 1, not {self.replay_share}")
        if not 0 <= self.replay_of_known <= 1:
            raise LearnctlError(f"replay_of_known must be from 0 to 1, not {self.replay_of_known}")
        if not 0 <= self.own_share <= 2:
            raise LearnctlError(f"own_share must be from 0 to 2, not {self.own_share}")
        if not 0 <= self.general_rows <= 32:
            raise LearnctlError(f"general_rows must be from 0 to 32, not {self.general_rows}")
        if self.learning_rate != AUTO and not float(self.learning_rate) > 0:
            raise LearnctlError(f"learning_rate must be above 0, or auto, not {self.learning_rate}")


def number_or_auto(value: Any) -> float | str:
    return AUTO if value == AUTO else float(value)


def count_or_auto(value: Any) -> int | str:
    return AUTO if value == AUTO else int(value)


# Options that may name a file or a folder.
PATHS = ("base", "suite")
# What makes a value of what was given, by option.
KINDS: dict[str, Any] = {field.name: type(field.default) for field in fields(Options)}
KINDS |= dict.fromkeys(("learning_rate", "max_divergence"), number_or_auto)
KINDS["epochs"] = count_or_auto


def load(home: Home, **flags: Any) -> Options:
    """The options in force: flags that are not None over the config file over the defaults.

    Raises:
        LearnctlError: the config file is broken or names something unknown.
    """
    chosen = {name: _checked(name, value) for name, value in read_config(home).items()}
    chosen |= {name: value for name, value in flags.items() if value is not None}
    return replace(Options(), **chosen)


def read_config(home: Home) -> dict[str, Any]:
    if not home.config.exists():
        return {}
    try:
        return tomllib.loads(home.config.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise LearnctlError(f"{home.config}: {error}") from error


def set_config(home: Home, name: str, value: str | None) -> None:
    """Write one value into the config file, or take it out where the value is None.

    Raises:
        LearnctlError: there is no such option, or the value is not of its kind.
    """
    written = read_config(home)  # says what is wrong with a file that is broken
    # What is none, or is none any more, may be in the file all the same.
    if name not in KINDS and not (value is None and name in written):
        raise LearnctlError(f"no option `{name}`", hint=f"the options are: {', '.join(KINDS)}")
    document = tomlkit.parse(
        home.config.read_text(encoding="utf-8") if home.config.exists() else ""
    )
    if value is None:
        document.pop(name, None)
    else:
        document[name] = _checked(name, _from_anywhere(value) if name in PATHS else value)
        replace(Options(), **{name: document[name]})
    home.make()
    _write(home.config, tomlkit.dumps(document))


def _from_anywhere(value: str) -> str:
    """What is a path here means the same file from every folder."""
    # Unlike `Path.expanduser`, this leaves the name of an unknown user as it is.
    local = Path(os.path.expanduser(value))
    is_name = value in ("", AUTO, EMBEDDED) or not local.exists()
    return value if is_name else str(local.absolute())


def _write(target: Path, text: str) -> None:
    """Whole or not at all, for its owner alone."""
    scratch = target.with_name(f".{target.name}.tmp")
    scratch.unlink(missing_ok=True)
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
        sync(target.parent)
    finally:
        scratch.unlink(missing_ok=True)


def _checked(name: str, value: Any) -> Any:
    if name not in KINDS:
        raise LearnctlError(f"config.toml: no option `{name}`", hint=f"known: {', '.join(KINDS)}")
    try:
        if isinstance(value, bool) or (isinstance(value, float) and not _may_be_broken(name)):
            raise TypeError(value)
        return KINDS[name](value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = KINDS[name].__name__.replace("_", " ")
        raise LearnctlError(f"{name}: expected {kind}, found {value!r}") from error


def _may_be_broken(name: str) -> bool:
    """Whether an option may be a number that is not whole."""
    return KINDS[name] in (float, number_or_auto)
