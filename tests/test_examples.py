"""The programs in examples/ run, and the questions of the demo fit the texts they ask about."""

import importlib.util
import json
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory import readers
from learnctl.memory.home import Home
from learnctl.memory.records import Document, Item
from learnctl.memory.store import Store
from learnctl.trainer.facts import contains, normalise
from learnctl.trainer.models import file_sha256
from learnctl.trainer.prompt_lists import read_prompts

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PROMPTS = ROOT / "trainer" / "prompts"
NOTES = {
    "house.md": "# House\n\nThe boiler was serviced by Harald Immer on 4 March in Dunmere Row.\n",
    "dog.txt": "The dog Quimby was born in 2017 in the village of Snorrebeck.\n",
}


def lines_of(name: str) -> list[dict[str, Any]]:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def learned_text(item: Item) -> str:
    """What of a document or conversation is learned from: an assistant's replies are not."""
    if isinstance(item, Document):
        return "\n".join(section.text for section in item.sections)
    return "\n".join(message.text for message in item.messages if message.role == "user")


# The programs


@pytest.fixture
def configured(home: Path, tiny_llama: Path) -> Path:
    """A home whose nights are small and pass a gate that is open."""
    home.mkdir(parents=True)
    (home / "config.toml").write_text(
        f"base = {json.dumps(str(tiny_llama))}\n"
        "epochs = 1\nrank = 2\ngeneral_rows = 2\nown_share = 0.0\nquestions_per_fact = 1\nprobes_per_run = 2\n"
        "max_divergence = 1e9\nmin_recall_gain = -1.0\nmax_recall_loss = 1.0\n"
    )
    return home


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run one of the programs; what it printed."""

    def run(name: str, *words: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_ask_finds_at_once(program: Callable[..., str], configured: Path, notes: Path) -> None:
    said = program("api_ask.py", "--home", configured, "When was the boiler serviced?", notes)
    assert "weights alone:" in said
    assert "house.md: " in said
    assert "4 March" in said


def test_a_night_and_taking_it_back(
    program: Callable[..., str], configured: Path, notes: Path
) -> None:
    said = program("api_night.py", "--home", configured, notes)
    assert "promoted" in said
    assert "version 1 is in service" in said

    said = program("api_forget.py", "--home", configured, "house.md")
    assert "versions_deleted: [1]" in said
    assert "in service: version 0" in said
    assert "still there: dog.txt" in said
    assert not (configured / "versions" / "1").exists()
    with Store.open(Home(configured)) as store:
        assert store.value("SELECT count(*) FROM chunks WHERE text LIKE '%boiler%'") == 0


@pytest.mark.parametrize("refused", [(), (1,), (2,), (1, 2)], ids=str)
def test_the_demo_says_which_night_was_refused(
    refused: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """A version that was not made is not shown as that night's, and the demo does not end as if all were well."""
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    assert spec
    assert spec.loader
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    asked: list[str] = []
    nights: list[int] = []

    def learnctl(*words: str) -> Any:
        if words[0] == "evaluate":
            asked.append(words[-1])
            row = {"question": "Q?", "gold": ["A"], "answer": "A", "correct": True, "night": 1}
            return {"answers": [row | {"source": "a.md", "file": file} for file in words[1:-2]]}
        nights.append(len(nights) // 2 + 1)  # ingest and consolidate
        is_refused = nights[-1] in refused
        version = max(({1, 2} - {*refused}) & {*nights}, default=0)
        recall = {"before": 0.0, "after": 0.5, "n": 4}
        return {
            "decision": "refused" if is_refused else "promoted",
            "reason": "it forgot too much" if is_refused else "",
            "version": version,
            "samples": {},
            "recall": {"new": recall, "forms": {"third turn": 0.5, "system prompt": 0.5}},
            **dict.fromkeys(("divergence", "tokens_per_s", "peak_bytes", "elapsed_s"), 1.0),
        }

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "learnctl", learnctl)
    monkeypatch.setattr(demo, "LEARNCTL", [sys.executable, "-c", ""])
    if refused:
        with pytest.raises(SystemExit) as ended:
            demo.main()
        assert ended.value.code == 4
    else:
        demo.main()
    shown = capsys.readouterr().out
    for night in (1, 2):
        assert (f"night {night} was refused: it forgot too much" in shown) is (night in refused)
    (heads,) = [line for line in shown.splitlines() if line.startswith("right answers")]
    assert [f"night {night}" in heads for night in (1, 2)] == [n not in refused for n in (1, 2)]
    serving = {(): ["1", "2"], (1,): ["0", "2"], (2,): ["1", "1"], (1, 2): ["0", "0"]}
    assert asked == ["base", *serving[refused]]


def test_programs_are_short() -> None:
    for file in EXAMPLES.glob("api_*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 40, file


# The demo's data


def test_there_are_enough_questions() -> None:
    questions = lines_of("questions.jsonl")
    assert len(questions) >= 40
    assert len({normalise(row["question"]) for row in questions}) == len(questions)
    assert {row["night"] for row in questions} == {1, 2}


def test_golds_stand_in_their_sources() -> None:
    texts: dict[str, str] = {}
    for row in lines_of("questions.jsonl"):
        name = f"night{row['night']}/{row['source']}"
        if name not in texts:
            texts[name] = "\n".join(map(learned_text, readers.read(EXAMPLES / name)))
        for gold in row["gold"]:
            assert contains(texts[name], gold), f"{row['id']}: {gold}"


def test_no_question_gives_its_answer_away() -> None:
    for row in lines_of("questions.jsonl"):
        assert not any(contains(row["question"], gold) for gold in row["gold"]), row["id"]


def test_everyday_questions_are_never_rehearsed() -> None:
    rehearsed = {normalise(prompt) for prompt in read_prompts("rehearsal")}
    asked = [normalise(row["question"]) for row in lines_of("everyday.jsonl")]
    assert asked
    assert not rehearsed.intersection(asked)


# What is installed


def test_prompts_are_package_data() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["learnctl.trainer"]
    carried = {file for pattern in patterns for file in (ROOT / "trainer").glob(pattern)}
    assert carried == set(PROMPTS.iterdir())


def test_the_wheel_carries_the_prompts(tmp_path: Path) -> None:
    from zipfile import ZipFile

    pytest.importorskip("setuptools", minversion="77", reason="builds the wheel")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    for name in ("cli", "memory", "trainer"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=checkout, capture_output=True, check=True)
    (wheel,) = (checkout / "dist").iterdir()
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    for prompt in PROMPTS.iterdir():
        carried = tmp_path / "installed" / "learnctl" / "trainer" / "prompts" / prompt.name
        assert file_sha256(carried) == file_sha256(prompt)
