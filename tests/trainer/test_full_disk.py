"""A night on a disk that is really full: what serves serves on, and with room again the night is made."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from learnctl.trainer.options import Options

from .conftest import DOG, HOUSE

# On a disk of its own: tries a night with so many bytes left, and in the end with room.
NIGHTS = """
import json, shutil, sys
from pathlib import Path
from learnctl.memory.check import check
from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import in_service
from learnctl.memory.store import Store
from learnctl.trainer import registry
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options

disk, notes, options = Path(sys.argv[1]), Path(sys.argv[2]), Options(**json.loads(sys.argv[3]))
tries = []
with Store.open(Home(disk / "home"), create=True) as store:
    ingest(store, [notes / "house.md"])
    consolidate(store, options)
    weights = registry.weights_folder(store, 1) / "adapter_model.safetensors"
    before = weights.read_bytes()
    ingest(store, [notes / "dog.txt"])
    for left in (4_000, 40_000, 120_000, None):
        with (disk / "filler").open("wb") as filler:
            if left is not None:
                filler.write(bytes(max(0, shutil.disk_usage(disk).free - left)))
        try:
            end = consolidate(store, options)["decision"]
        except LearnctlError as error:
            end = str(error)
        (disk / "filler").unlink()
        faults = [fault.text for fault in check(store)]
        tries.append([end, in_service(store), weights.read_bytes() == before, faults])
        if end == "promoted":
            break
print(json.dumps(tries))
"""


def test_a_night_on_a_full_disk(settings: Callable[..., Options], tmp_path: Path) -> None:
    """Each night that finds no room is told as such, and harms nothing; the one that does is promoted."""
    notes, disk = tmp_path / "notes", tmp_path / "disk"
    for folder in (notes, disk):
        folder.mkdir()
    (notes / "house.md").write_text(HOUSE)
    (notes / "dog.txt").write_text(DOG)
    private = [shutil.which("unshare") or "unshare", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o size=24m,mode=700 tmpfs "{disk}" && exec "$@"'
    try:
        subprocess.run([*private, mount, "sh", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    given = json.dumps(asdict(settings()))
    command = [sys.executable, "-c", NIGHTS, str(disk), str(notes), given]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [*private, mount, "sh", *command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    *failed, last = json.loads(done.stdout.splitlines()[-1])
    assert failed
    for end, version, is_whole, faults in failed:
        assert "full" in end or "No space left" in end
        assert (version, is_whole, faults) == (1, True, [])
    assert last == ["promoted", 2, True, []]
