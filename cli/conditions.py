"""When a scheduled consolidation may run: the machine has power, and nobody else needs it."""

import os

from ..memory.errors import LearnctlError

# The load, as a share of the processors, above which somebody is working with the machine.
BUSY = 0.75


class NotNow(LearnctlError):
    exit_code = 75


def require() -> None:
    """Raise `NotNow` where a condition is not met."""
    import psutil

    # Absent on some systems, None on a machine without a battery.
    battery = getattr(psutil, "sensors_battery", lambda: None)()
    plugged_in = battery is None or battery.power_plugged is not False
    reason = unmet(plugged_in, psutil.getloadavg()[1], os.cpu_count() or 1)
    if reason:
        raise NotNow(f"not now: {reason}")


def unmet(plugged_in: bool, load: float, n_processors: int) -> str:
    """Why a scheduled run should wait, or nothing; `load` is the average of five minutes."""
    if not plugged_in:
        return "the machine is on battery"
    if load > BUSY * n_processors:
        return f"the machine is busy (load {load:.1f} on {n_processors} processors)"
    return ""
