"""The benchmarks of lived material and of voice, on a tiny base and made-up material."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import lived, voice


@pytest.fixture
def measure(run_benchmark: Callable[..., str], tmp_path: Path) -> Callable[..., str]:
    def run(module: Any, *args: str) -> str:
        return run_benchmark(module, "--data", str(tmp_path), *args)

    return run


@pytest.fixture
def talk(tmp_path: Path) -> None:
    """Two sessions of a talk, with a question about each and one about a third."""
    sessions: dict[str, Any] = {"speaker_a": "Ann", "speaker_b": "Ben"}
    for number, said in enumerate(("I moved to Dunmere Row.", "My dog is called Quimby."), 1):
        sessions[f"session_{number}_date_time"] = f"1:56 pm on {number} May, 2023"
        turn = {"speaker": "Ann", "dia_id": f"D{number}:1", "text": said}
        sessions[f"session_{number}"] = [turn]
    asked = [
        {"question": "Where did Ann move?", "answer": "Dunmere Row", "evidence": ["D1:1"], "category": 4},
        {"question": "When did Ann tell of her dog?", "answer": "2 May 2023", "evidence": ["D2:1"], "category": 2},
        {"question": "Where is Ben?", "answer": "away", "evidence": ["D3:1"], "category": 4},
    ]  # fmt: skip
    (tmp_path / "locomo").mkdir()
    whole = json.dumps([{"conversation": sessions, "qa": asked}])
    (tmp_path / "locomo" / "conversations.json").write_text(whole)


def test_a_talk_session_by_session(measure: Callable[..., str], talk: None) -> None:
    """A night for each session; asked is what lies in them, told by kind, with and without what search finds."""
    args = ("--what", "locomo", "--sessions", "2", "--nights", "2")
    (row,) = [json.loads(measure(lived, *args, "--json"))]
    assert row["n"] == 2
    assert len(row["reports"]) == 2
    told = measure(lived, *args)
    assert "single-hop" in told
    assert "temporal" in told
    assert "of 1" in told
    assert "both beside retrieval alone" in told


def test_nothing_there_is_skipped(measure: Callable[..., str]) -> None:
    for module, args in ((lived, ("--what", "news")), (voice, ())):
        with pytest.raises(SystemExit) as ended:
            measure(module, *args)
        assert ended.value.code == 0


def test_voice(measure: Callable[..., str], tmp_path: Path) -> None:
    """Mails that were held out are measured, a person's own and the other's, and what changed has an interval."""
    (tmp_path / "emails").mkdir()
    for name in ("ann", "ben"):
        mails = [
            {"email": f"Dear {name}, the parcel number {n} came at nine and stands by the door of the shed."}
            for n in range(voice.HELD_OUT + 3)
        ]  # fmt: skip
        (tmp_path / "emails" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, mails)))
    first, second = measure(voice, "--mails", "3").splitlines()
    assert first.startswith("person 0: 3 mails learned; held-out mails of their own (40)")
    assert "of others (40)" in second


def test_what_a_voice_gained() -> None:
    assert voice.gain([-2.0] * 9, [-1.5] * 9) == (0.5, 0.5, 0.5)
    mean, low, high = voice.gain([0.0] * 8, [1.0, -1.0] * 4)
    assert low < mean == 0 < high
