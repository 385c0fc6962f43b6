"""`diff` and `prune` as they are shown."""

from pathlib import Path
from typing import Any

FOUND = {
    "versions": [0, 2],
    "gained": [{"question": "Who?", "gold": "Ilse", "source": "/notes/house.md"}],
    "lost": [],
    "both": 3,
    "neither": 1,
    "n": 5,
    "divergence": [0.0, 0.25],
}


def test_diff(run: Any, run_json: Any, pretend: Any, notes: Path) -> None:
    asked: list[tuple[int, int]] = []

    def differences(store: object, first: int, second: int) -> Any:
        asked.append((first, second))
        return FOUND

    pretend("differences", differences=differences)
    run("ingest", str(notes))
    result = run("diff", "base", "2")
    assert asked == [(0, 2)]
    assert "+  Who?" in result.stdout
    assert "house.md" in result.stdout
    assert "1 gained, 0 lost, 3 known to both, of 5 probes" in result.stdout
    assert "version 2: 0.25 nats a token" in result.stderr
    assert run_json("diff", "1", "2") == FOUND
    assert run("diff", "newest", "2").exit_code == 2


def test_prune_with_nothing_to_delete(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    assert run("prune").stderr == "nothing to delete\n"
    assert run_json("prune", "--dry-run") == {"kept": [], "deleted": [], "freed_bytes": 0}
