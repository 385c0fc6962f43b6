"""The checks of `learnctl doctor`, each a look at one thing: ok, warn, or stop.

`stop` is for what keeps learnctl from working at all.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.home import Home, models_folder
from . import machine_checks
from .check_result import Check
from .output import counted, n_bytes

NEEDED = ("torch", "transformers", "peft")
LEAST_MEMORY = 4e9  # a night on the embedded base has peaked at 3.3 GiB
LEAST_DISK = 2e9


def examine(home: Home) -> Iterator[Check]:
    """Every check, in the order in which a person would mend things."""
    packages = list(_packages())
    yield from packages
    yield _sqlite()
    device: Any = None
    if all(check.state != "stop" for check in packages):
        from ..trainer import base

        base.quiet_libraries()
        try:
            device = base.choose_device(_wanted_device(home))
            yield _device(device)
        except LearnctlError as error:
            device = None  # no base can be chosen for it
            yield Check("device", "stop", str(error), error.hint)
        yield _bitsandbytes(device)
        if device is None or device.type != "cuda":
            yield machine_checks.this_gpu()
    yield _memory()
    yield _disk("disk", home.path)
    yield _disk("model cache", models_folder())
    if device is not None:
        yield _base_model(home, device)
        yield from _gpu_memory(home, device)
    yield _folder(home)
    yield machine_checks.owner(home)
    yield machine_checks.this_file_system(home)
    yield _store(home)
    yield _lock(home)
    yield machine_checks.this_clock(home)
    yield machine_checks.schedule(home)


def _wanted_device(home: Home) -> str:
    from ..trainer import options

    try:
        return options.load(home).device
    except LearnctlError:
        return "auto"  # what is wrong with the settings is said by the check of the base model


def _packages() -> Iterator[Check]:
    for name in NEEDED:
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "stop", "not installed", "install learnctl again")


def _bitsandbytes(device: Any) -> Check:
    try:
        return Check("bitsandbytes", "ok", version("bitsandbytes"))
    except PackageNotFoundError:
        state = "warn" if device is not None and device.type == "cuda" else "ok"
        return Check("bitsandbytes", state, "not installed: the base is held unquantized")


def _sqlite() -> Check:
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(text)").close()
    except sqlite3.Error:
        return Check(
            "sqlite",
            "stop",
            f"{sqlite3.sqlite_version} without FTS5",
            "use a Python whose SQLite has full-text search",
        )
    return Check("sqlite", "ok", f"{sqlite3.sqlite_version} with FTS5")


def _device(device: Any) -> Check:
    if device.type == "cuda":
        import torch

        from ..trainer import base

        with base.usable(device):
            free, total = torch.cuda.mem_get_info(device)
            name = torch.cuda.get_device_name(device)
        return Check("device", "ok", f"{name}, {n_bytes(free)} of {n_bytes(total)} free")
    if device.type == "cpu":
        n_processors = counted(os.cpu_count() or 1, "processor")
        return Check("device", "ok", f"no GPU, {n_processors}: a night's learning takes minutes")
    return Check("device", "ok", str(device))


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{n_bytes(memory.available)} of {n_bytes(memory.total)} free"
    if memory.available < LEAST_MEMORY:
        return Check("memory", "warn", found, "close other programs before consolidating")
    return Check("memory", "ok", found)


def _disk(name: str, folder: Path) -> Check:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    found = f"{n_bytes(free)} free for {folder}"
    if free < LEAST_DISK:
        return Check(name, "warn", found, f"free some space, at least {n_bytes(LEAST_DISK)}")
    return Check(name, "ok", found)


def _base_model(home: Home, device: Any) -> Check:
    from ..trainer import base, models, options

    try:
        name = options.load(home).base
        if name == "auto":
            name = base.default_name(device)
        files = models.find(name)
    except LearnctlError as error:
        return Check("base model", "stop", str(error), error.hint)
    return Check("base model", "ok", f"{files.name} in {files.path}")


def _gpu_memory(home: Home, device: Any) -> Iterator[Check]:
    from ..trainer import base, models, options, vram

    if device.type != "cuda":
        return
    import torch

    try:
        chosen = options.load(home)
        name = base.named(chosen.base, device)
        config = vram.read_config(models.find(name))
    except LearnctlError:
        return  # said by the check of the base model
    if config is not None:
        parts = vram.training_bytes(config, chosen, quantized=chosen.quantize != "none")
        yield machine_checks.vram(parts, torch.cuda.mem_get_info(device)[0])


def _folder(home: Home) -> Check:
    if not home.path.exists():
        return Check("home", "ok", f"{home.path}, not made yet")
    if not os.access(home.path, os.W_OK | os.X_OK):
        return Check("home", "stop", f"{home.path} cannot be written", "change its owner or mode")
    if home.path.stat().st_mode & 0o077:
        return Check("home", "warn", f"{home.path} is open to others", f"chmod 700 {home.path}")
    return Check("home", "ok", str(home.path))


def _store(home: Home) -> Check:
    from ..memory.store import Store

    if not home.database.exists():
        return Check("store", "warn", "none yet", "`learnctl ingest PATH` makes one")
    try:
        with Store.open(home) as store:
            if (damage := store.value("PRAGMA quick_check")) != "ok":
                return Check("store", "stop", f"damaged: {damage}", "put a copy of it back")
            held = store.counts()
    except (LearnctlError, sqlite3.Error) as error:
        return Check("store", "stop", str(error), "put a copy of it back, or mend its mode")
    return Check(
        "store", "ok", f"{counted(held['sources'], 'source')}, {counted(held['chunks'], 'chunk')}"
    )


def _lock(home: Home) -> Check:
    from filelock import FileLock, Timeout

    if not home.lock.exists():
        return Check("lock", "ok", "free")
    try:
        with FileLock(home.lock, timeout=0, mode=0o600):
            return Check("lock", "ok", "free")
    except Timeout:
        return Check("lock", "warn", "a consolidation is running", "wait until it is done")
    except OSError as error:
        return Check("lock", "stop", str(error), f"mend the mode of {home.lock}")
