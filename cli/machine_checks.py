"""The checks of `learnctl doctor` that look at the machine: its GPU, its clock, its scheduler, where the home lies."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..memory.home import Home
from .check_result import Check
from .output import n_bytes

NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smbfs", "smb3", "afs", "ceph", "glusterfs", "9p"}
NETWORK_FILE_SYSTEMS |= {"fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "webdav", "afpfs"}
CLOCK_SLACK = timedelta(minutes=5)


def gpu(card: bool, driver_cuda: str, torch_cuda: str | None) -> Check:
    """Why a GPU that is there cannot be used; asked only where torch finds none.

    Args:
        card: whether the machine has an NVIDIA card.
        driver_cuda: the newest CUDA that the driver speaks; empty where there is no driver.
        torch_cuda: the CUDA that torch was built for; None for a build without.
    """
    if not card:
        return Check("gpu", "ok", "no NVIDIA card")
    if not driver_cuda:
        return Check(
            "gpu",
            "warn",
            "there is an NVIDIA card and no driver for it",
            "install the NVIDIA driver; `nvidia-smi` shows when it works",
        )
    if torch_cuda is None:
        return Check(
            "gpu",
            "warn",
            "there is an NVIDIA card, and torch was built without CUDA",
            "install torch again from https://download.pytorch.org/whl/, a build with CUDA",
        )
    if _number(driver_cuda) < _number(torch_cuda):
        return Check(
            "gpu",
            "warn",
            f"torch was built for CUDA {torch_cuda}, and the driver speaks {driver_cuda} at most",
            f"update the driver, or install a torch built for CUDA {driver_cuda} or older",
        )
    return Check(
        "gpu",
        "warn",
        f"torch cannot use the NVIDIA card (CUDA {torch_cuda}, driver up to {driver_cuda})",
        "see `nvidia-smi`; CUDA_VISIBLE_DEVICES may hide it",
    )


def this_gpu() -> Check:
    """The same of this machine."""
    import torch

    cards = Path("/sys/bus/pci/devices").glob("*/vendor")
    card = any(
        vendor.read_text().strip() == "0x10de"
        and (vendor.parent / "class").read_text().startswith("0x03")
        for vendor in cards
    )
    return gpu(card or Path("/proc/driver/nvidia").exists(), _driver_cuda(), torch.version.cuda)


def vram(parts: dict[str, int], free: int) -> Check:
    """Whether training fits into GPU memory, with the sum written out."""
    need = sum(parts.values())
    terms = " + ".join(f"{name} {n_bytes(size)}" for name, size in parts.items())
    found = f"{n_bytes(need)} needed of {n_bytes(free)} free: {terms}"
    if need > free:
        return Check(
            "gpu memory",
            "stop",
            found,
            "`learnctl model use` a smaller base, set a smaller `pack_tokens` or `rank`,"
            " or close what else uses the GPU",
        )
    return Check("gpu memory", "ok", found)


def clock(last_run: str | None, now: datetime) -> Check:
    """Whether the clock is behind what was already written down."""
    if last_run and datetime.fromisoformat(last_run) > now + CLOCK_SLACK:
        return Check(
            "clock",
            "warn",
            f"it is {now:%Y-%m-%d %H:%M} UTC, and the last run began {last_run[:16]}",
            "set the clock: nights are told apart by their dates",
        )
    return Check("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def this_clock(home: Home) -> Check:
    """The same of this machine and this store."""
    import sqlite3

    last = None
    if home.database.exists():
        try:
            connection = sqlite3.connect(f"{home.database.absolute().as_uri()}?mode=ro", uri=True)
            try:
                last = connection.execute("SELECT max(created_at) FROM runs").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.Error:
            pass  # the check of the store says what is wrong with it
    return clock(last, datetime.now(UTC))


def schedule(home: Home) -> Check:
    """Whether what was scheduled will also be started."""
    from . import crontab, schedulers

    held = list(schedulers.holding(home.path))
    if not held:
        return Check("schedule", "ok", "no nights are scheduled")
    scheduler, due = held[0]
    if scheduler is crontab and not crontab.runs():
        return Check(
            "schedule",
            "warn",
            "scheduled by cron, which is not running",
            f"start it: {crontab.START}",
        )
    if "not" in due.split():
        return Check("schedule", "warn", f"{scheduler.NAME}: {due}", "`learnctl schedule install`")
    return Check("schedule", "ok", f"{scheduler.NAME}: {due}")


def file_system(folder: Path, mounts: list[tuple[str, str]]) -> Check:
    """Whether a folder lies on this machine's own disk.

    Args:
        mounts: where each file system is mounted, and of which kind it is.
    """
    above = [
        (Path(point), kind) for point, kind in mounts if folder.is_relative_to(Path(point))
    ]  # fmt: skip
    _, kind = max(above, key=lambda entry: len(entry[0].parts), default=(Path("/"), "unknown"))
    if kind in NETWORK_FILE_SYSTEMS:
        return Check(
            "file system",
            "warn",
            f"{folder} is on {kind}: neither locks nor SQLite's log are safe over a network",
            "choose a home on this machine's disk with --home or LEARNCTL_HOME",
        )
    return Check("file system", "ok", kind)


def this_file_system(home: Home) -> Check:
    """The same of this machine."""
    import psutil

    mounts = [(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]
    return file_system(Path(os.path.realpath(home.path)), mounts)


def owner(home: Home) -> Check:
    """Whether all that the home folder holds can be written by whoever asks."""
    if not home.path.exists():
        return Check("permissions", "ok", "nothing there yet")
    beside = [home.path, *home.path.glob("*"), *home.versions.glob("*")]
    locked = [path for path in beside if not os.access(path, os.R_OK | os.W_OK)]
    foreign = [path for path in beside if path.lstat().st_uid != os.getuid()]
    if found := locked or foreign:
        return Check(
            "permissions",
            "stop" if locked else "warn",
            f"{found[0]} belongs to somebody else" if foreign else f"{found[0]} cannot be written",
            f"`sudo chown -R $(id -un) {home.path}`, then `chmod -R u+rwX {home.path}`",
        )
    return Check("permissions", "ok", "yours alone")


def _driver_cuda() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        shown = subprocess.run([program], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"CUDA Version: *(\d+\.\d+)", shown)
    return found[1] if found else ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
