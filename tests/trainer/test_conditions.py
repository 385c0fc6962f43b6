"""When a scheduled run may work, over measured values; and that this machine can be measured."""

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from learnctl.trainer.conditions import (
    Conditions,
    Machine,
    Measured,
    Watch,
    gpu_state,
    own_gpu_bytes,
    unmet,
)

IDLE = Measured(
    clock=datetime(2026, 3, 1, 3, 0), n_processors=4, busy_processors=0.5, free_disk=9_000_000_000
)
GB = 1_000_000_000


@pytest.mark.parametrize(
    ("wanted", "found", "reason"),
    [
        ({}, {}, ""),
        ({}, {"plugged_in": True}, ""),
        ({}, {"plugged_in": False}, "on battery"),
        ({"on_ac": False}, {"plugged_in": False}, ""),
        ({}, {"busy_processors": 3.1}, "3.1 of 4 processors, at most 75%"),
        ({"max_load": 0.8}, {"busy_processors": 3.1}, ""),
        ({}, {"gpu_percent": 31.0}, "keep the GPU busy (31%)"),
        ({"idle_gpu": False}, {"gpu_percent": 100.0, "gpu_taken": 9 * GB}, ""),
        ({}, {"gpu_taken": 2 * GB}, "somebody else came to the GPU (took 2.0 GB)"),
        ({}, {"gpu_taken": GB // 2}, ""),
        ({"min_free_vram": 8 * GB}, {"free_vram": 7 * GB}, "7.0 GB, at least 8.0 GB"),
        ({"min_free_vram": 8 * GB}, {"free_vram": None}, ""),
        ({}, {"free_disk": GB}, "too little disk is free"),
        ({"min_free_disk": 0}, {"free_disk": 0}, ""),
        ({}, {"temperature": 99.0}, ""),
        ({"max_temperature": 80.0}, {"temperature": 81.0}, "hot (81 °C, at most 80 °C)"),
        ({"max_temperature": 80.0}, {"temperature": None}, ""),
        ({"until": "06:30"}, {}, ""),
        ({"until": "06:30"}, {"clock": datetime(2026, 3, 1, 6, 29)}, ""),
        ({"until": "06:30"}, {"clock": datetime(2026, 3, 1, 6, 31)}, "window ended at 06:30"),
        ({"until": "06:30"}, {"clock": datetime(2026, 3, 1, 15, 0)}, "window ended"),
        ({"until": "06:30"}, {"clock": datetime(2026, 3, 1, 23, 0)}, ""),
    ],
)
def test_conditions(wanted: dict[str, object], found: dict[str, object], reason: str) -> None:
    told = unmet(Conditions(**wanted), replace(IDLE, **found))  # type: ignore[arg-type]
    assert reason in told
    assert bool(told) is bool(reason)


def test_a_watch_looks_now_and_then_and_sticks_to_its_reason() -> None:
    looks: list[Measured] = []

    def measure() -> Measured:
        looks.append(replace(IDLE, plugged_in=len(looks) not in (1, 2)))
        return looks[-1]

    watch = Watch(Conditions(), measure, every_s=0.0)
    assert watch() == ""
    assert watch() == watch() == watch.reason == "the machine is on battery"
    assert len(looks) == 2
    patient = Watch(Conditions(), measure, every_s=3600.0)
    assert patient() == ""
    assert len(looks) == 2


def test_what_nvidia_smi_says_is_read() -> None:
    assert gpu_state("40536, 612, 3, 41\n") == (40536 * 2**20, 612 * 2**20, 3.0, 41.0)
    assert gpu_state("") is None
    assert gpu_state("[N/A], 612, [N/A], 41\n") is None
    processes = "4012, 380\n 77, 9120\n78, [N/A]\n"
    assert own_gpu_bytes(processes, 77) == 9120 * 2**20
    assert own_gpu_bytes(processes, 78) is None
    assert own_gpu_bytes(processes, 79) is None


def test_a_gpu_that_others_come_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pretended nvidia-smi: what this process takes itself is no reason, what others take is."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *query-gpu*) cat "$0.gpu" ;; *) cat "$0.apps" ;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def shown(used: int, own: int) -> None:
        (tmp_path / "nvidia-smi.gpu").write_text(f"{24000 - used}, {used}, 5, 50\n")
        (tmp_path / "nvidia-smi.apps").write_text(f"{os.getpid()}, {own}\n" if own else "")

    machine = Machine(tmp_path)
    shown(500, 0)
    first = machine.measure()
    assert (first.gpu_percent, first.gpu_taken, first.free_vram) == (5.0, None, 23500 * 2**20)
    shown(8500, 8000)
    second = machine.measure()
    assert (second.gpu_percent, second.gpu_taken) == (None, 0)
    assert second.free_vram == 23500 * 2**20
    shown(12500, 8000)
    assert machine.measure().gpu_taken == 4000 * 2**20


def test_this_machine_can_be_measured(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    for _ in range(2):
        found = machine.measure()
        assert found.free_disk > 0
        assert 0 <= found.busy_processors < 1000
        assert isinstance(unmet(Conditions(until="06:30"), found), str)
