"""When a scheduled run may work: the machine has power, room and nobody else who needs it.

`unmet` decides over measured values alone; `Machine` measures; `Watch` asks again while a run is at work,
so that it gives way when somebody comes back.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

# A window that ended is told from one that is to come by this: half a day.
HALF_DAY_MINUTES = 12 * 60
# What others may take of a GPU, beyond what they held when the run began, before it gives way.
GPU_SPARE_BYTES = 1_000_000_000
GPU_BUSY_PERCENT = 30.0
WATCH_EVERY_S = 15.0
ASKING_TAKES_S = 20.0


@dataclass(frozen=True)
class Conditions:
    on_ac: bool = True
    """Wait while the machine is on battery."""
    idle_gpu: bool = True
    """Give way to others who use the GPU."""
    max_load: float = 0.75
    """The share of the processors that others may keep busy."""
    min_free_vram: int = 0
    """Bytes of GPU memory that must be free, this run's own counted as free."""
    min_free_disk: int = 2_000_000_000
    """Bytes that must be free where the store lies."""
    max_temperature: float | None = None
    """Degrees Celsius that no sensor of the processors or the GPU may exceed."""
    min_new_tokens: int = 0
    """A run begins only when so much is new."""
    until: str | None = None
    """A time of day, HH:MM, at which the window closes; it opens half a day before."""


@dataclass(frozen=True)
class Measured:
    """What the machine says of itself; None where it cannot say, and then nothing is concluded."""

    clock: datetime
    n_processors: int
    busy_processors: float  # kept busy by others
    free_disk: int
    plugged_in: bool | None = None
    temperature: float | None = None
    free_vram: int | None = None
    gpu_percent: float | None = None  # of a GPU that this process does not use yet
    gpu_taken: int | None = None  # bytes that others took since the run began


def is_open(until: str, clock: datetime) -> bool:
    """Whether it is at most half a day before the time of day at which a window closes."""
    hour, minute = (int(part) for part in until.split(":"))
    minutes_left = (hour * 60 + minute - clock.hour * 60 - clock.minute) % (24 * 60)
    return 0 < minutes_left <= HALF_DAY_MINUTES


def unmet(wanted: Conditions, found: Measured) -> str:
    """Why a run should wait, or give way; empty where it need not."""
    if wanted.until and not is_open(wanted.until, found.clock):
        return f"the window ended at {wanted.until}"
    if wanted.on_ac and found.plugged_in is False:
        return "the machine is on battery"
    if found.busy_processors > wanted.max_load * found.n_processors:
        busy = f"{found.busy_processors:.1f} of {found.n_processors} processors"
        return f"others keep the machine busy ({busy}, at most {wanted.max_load:.0%})"
    if wanted.idle_gpu and (found.gpu_percent or 0) > GPU_BUSY_PERCENT:
        return f"others keep the GPU busy ({found.gpu_percent:.0f}%)"
    if wanted.idle_gpu and (found.gpu_taken or 0) > GPU_SPARE_BYTES:
        return f"somebody else came to the GPU (took {_gb(found.gpu_taken or 0)})"
    if found.free_vram is not None and found.free_vram < wanted.min_free_vram:
        free, least = _gb(found.free_vram), _gb(wanted.min_free_vram)
        return f"too little GPU memory is free ({free}, at least {least})"
    if found.free_disk < wanted.min_free_disk:
        free, least = _gb(found.free_disk), _gb(wanted.min_free_disk)
        return f"too little disk is free ({free}, at least {least})"
    hottest = wanted.max_temperature
    if hottest is not None and found.temperature is not None and found.temperature > hottest:
        return f"the machine is hot ({found.temperature:.0f} °C, at most {hottest:.0f} °C)"
    return ""


class Machine:
    """Measures this machine; what this very process does to it is left out.

    Attributes:
        folder: where the store lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._looked: tuple[float, float] | None = None  # busy and own seconds at the last look
        self._looked_at = 0.0
        self._held_by_others: int | None = None  # of GPU memory, at the first look

    def measure(self) -> Measured:
        first = self._looked is None
        free_vram, percent, taken, gpu_degrees = self._gpu(first)
        degrees = [value for value in (_hottest(), gpu_degrees) if value is not None]
        return Measured(
            clock=datetime.now(),
            n_processors=os.cpu_count() or 1,
            busy_processors=self._busy_processors(),
            free_disk=shutil.disk_usage(self.folder).free,
            plugged_in=_plugged_in(),
            temperature=max(degrees, default=None),
            free_vram=free_vram,
            gpu_percent=percent,
            gpu_taken=taken,
        )

    def _busy_processors(self) -> float:
        """At first the load of the last five minutes; from then on what others used since the last look."""
        import psutil

        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # On Linux, what guests use is in `user` already.
        counted_twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        busy = sum(times) - idle - counted_twice
        mine = psutil.Process().cpu_times()
        own = mine.user + mine.system
        before, self._looked = self._looked, (busy, own)
        since = time.monotonic() - self._looked_at
        self._looked_at = time.monotonic()
        if before is None:
            return float(psutil.getloadavg()[1])
        others = (busy - before[0]) - (own - before[1])
        return float(max(0.0, others) / max(since, 1e-3))

    def _gpu(self, first: bool) -> tuple[int | None, float | None, int | None, float | None]:
        """Free memory, use, what others took since the first look, temperature: of the first GPU in use."""
        seen = gpu_state(
            _nvidia_smi("--query-gpu=memory.free,memory.used,utilization.gpu,temperature.gpu")
        )
        if seen is None:
            return None, None, None, None
        free, used, percent, degrees = seen
        own = own_gpu_bytes(_nvidia_smi("--query-compute-apps=pid,used_memory"), os.getpid())
        if first:
            self._held_by_others = used - (own or 0)
            return free, percent, None, degrees
        if own is None:  # in a container the driver knows this process by another number
            return None, None, None, degrees
        return free + own, None, used - own - (self._held_by_others or 0), degrees


class Watch:
    """Called while a run is at work: why it should stop, or nothing. Looks only every so often, and
    sticks to a reason once it has one."""

    def __init__(self, wanted: Conditions, measure: Callable[[], Measured], every_s: float) -> None:
        self.reason = ""
        self._wanted = wanted
        self._measure = measure
        self._every_s = every_s
        self._next = time.monotonic() + every_s

    def __call__(self) -> str:
        if not self.reason and time.monotonic() >= self._next:
            self.reason = unmet(self._wanted, self._measure())
            self._next = time.monotonic() + self._every_s
        return self.reason


def gpu_state(shown: str) -> tuple[int, int, float, float] | None:
    """Free and used bytes, percent in use, and degrees, from the first line of what nvidia-smi lists."""
    try:
        free, used, percent, degrees = (float(part) for part in shown.splitlines()[0].split(","))
    except (IndexError, ValueError):  # no GPU, or one that does not tell
        return None
    return round(free * 2**20), round(used * 2**20), percent, degrees


def own_gpu_bytes(shown: str, pid: int) -> int | None:
    """What a process holds of the GPU, as nvidia-smi lists processes; None where it is not listed."""
    for line in shown.splitlines():
        number, _, held = line.partition(",")
        if number.strip() == str(pid) and held.strip().isdecimal():
            return int(held) * 2**20
    return None


def gpu_power_limit() -> float | None:
    """What the GPU may draw at the most, in watts; None where there is none that says."""
    try:
        return float(_nvidia_smi("--query-gpu=power.limit").splitlines()[0])
    except (IndexError, ValueError):
        return None


def _nvidia_smi(query: str) -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0] or "0"
    try:
        result = subprocess.run(
            [program, f"--id={chosen}", query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=ASKING_TAKES_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout if result.returncode == 0 else ""


def _plugged_in() -> bool | None:
    import psutil

    # Absent on some systems, None on a machine without a battery.
    battery = getattr(psutil, "sensors_battery", lambda: None)()
    return None if battery is None else battery.power_plugged


def _hottest() -> float | None:
    import psutil

    sensors: dict[str, Any] = getattr(psutil, "sensors_temperatures", dict)()
    found = [
        sensor.current
        for name, group in sensors.items()
        if name in {"coretemp", "k10temp", "zenpower", "cpu_thermal", "acpitz"}
        for sensor in group
    ]
    return max(found, default=None)


def _gb(number: float) -> str:
    return f"{number / 1e9:.1f} GB"
