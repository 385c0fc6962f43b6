"""The benchmark of recall, on a tiny base: other settings than the shipped ones make other rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import recall


@pytest.fixture
def measure(run_benchmark: Callable[..., str], tmp_path: Path) -> Callable[..., Any]:
    """Run one trained arm on one passage; the row that it made."""
    passage = {
        "title": "Mill",
        "context": "The mill in Dunmere was built in 1911.",
        "questions": [{"question": "When was the mill built?", "answer": "1911"}],
    }
    (tmp_path / "squad").mkdir()
    (tmp_path / "squad" / "passages.json").write_text(json.dumps([passage]))
    (tmp_path / "squad" / "splits.json").write_text(json.dumps({"tune": ["Mill"]}))

    def run(*settings: str) -> Any:
        args = ("--data", str(tmp_path), "--arm", "ours", "--seeds", "0", "--json")
        return json.loads(run_benchmark(recall, *args, settings=settings))

    return run


def test_other_settings_make_another_row(measure: Callable[..., Any]) -> None:
    once = measure("general_rows=2", "epochs=1")
    assert measure("epochs=1", "general_rows=2") == once  # kept, with its seconds
    assert measure("general_rows=2", "epochs=3")["n_tokens"] > 2 * once["n_tokens"]


@pytest.mark.parametrize("setting", ["nonsense=1", "epochs=often", "epochs"])
def test_what_is_no_setting_is_refused(
    measure: Callable[..., Any], setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        measure(setting)
    assert ended.value.code == 2
    assert f"'{setting}' sets no option" in capsys.readouterr().err


def test_arms_share_one_study(
    measure: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made of the passages is made once, however many arms and seeds are trained on it."""
    measure("epochs=1")
    monkeypatch.setattr(recall, "study_chunks", None)  # would be called
    measure("epochs=2")
    assert len(list((tmp_path / "results").glob("recall-*"))) == 1
