"""Plain text that lies among the system's temporary files: for its owner alone, and not for longer than it is needed."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from learnctl.memory.brief_folder import BriefFolder, remove_left_behind
from learnctl.memory.store import TRACES, Store

HOLDING = """
import time
from learnctl.memory.brief_folder import BriefFolder
folder = BriefFolder()
(folder.path / "letter.txt").write_text("The lamp is green.")
print(folder.path, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("by", ["forgetting", "the next one"])
def test_what_a_killed_process_leaves_is_removed(store: Store, temporary: Path, by: str) -> None:
    """And nothing of one that is alive, nor what is not ours."""
    (temporary / "learnctl-other").mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TMPDIR": str(temporary),
    }
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        assert left.parent == temporary
        assert stat.S_IMODE(left.stat().st_mode) == 0o700
        remove_left_behind()
        assert (left / "letter.txt").exists()
        process.kill()
    if by == "forgetting":
        store.leave_traces()
        store.erase_traces()
    else:
        BriefFolder().remove()
    assert [path.name for path in temporary.iterdir()] == ["learnctl-other"]


def test_without_a_folder_for_temporary_files_it_is_forgotten_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_full_disk() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", on_a_full_disk)
    store.leave_traces()
    store.erase_traces()
    assert not store.setting(TRACES)


def test_several_at_once(temporary: Path) -> None:
    folders = [BriefFolder(), BriefFolder()]
    assert all(folder.path.is_dir() for folder in folders)
    for folder in folders:
        folder.remove()
    assert not list(temporary.iterdir())
