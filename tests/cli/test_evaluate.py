"""`learnctl evaluate --report` and `--text`, on nights that are written by hand."""

import json
import types
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.memory.store import Store
from learnctl.trainer.report import WAYS


class Outline(HTMLParser):
    """The elements of a page, what they would load, and whether they are closed in order."""

    VOID = ("meta",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href", "srcset")]
        self.loads += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def nights(run: Any, notes: Path, home: Path, diary: Any) -> None:
    """Two nights on two notes: the second forgets the first's fact; a third is refused."""
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        made = diary(store)
        house, dog = made.chunk("house.md"), made.chunk("dog.txt")
        for chunk, gold in ((house, "Immer"), (dog, "<script>Quimby</script>")):
            made.probe(chunk, f"Who is in {chunk}?", gold)
            made.probe(chunk, f"Name the one in {chunk} & tell.", gold)
        made.night([house], {1: False, 2: False}, {1: True, 2: True})
        made.night(
            [dog],
            {1: True, 2: True, 3: False},
            {1: True, 2: False, 3: True, 4: True},
            losses=[1.0 / (step + 1) for step in range(500)],
            divergence_on_new=0.61,
            divergence_interval=[0.21, 0.29],
            conduct={"refusals": {"n": 40, "won": 3, "lost": 5, "lost_at_most": 0.125}},
            beyond_the_base={"unsafe declined": 0.0},
        )
        made.night([dog], {}, {3: False}, promoted=False, reason="it <forgot>")
        store.db.execute(
            "INSERT INTO suite_answers VALUES ('b', 0, 'x', 'arc', 1), ('b', 0, 'y', 'arc', 1),"
            " ('b', 2, 'x', 'arc', 1), ('b', 2, 'y', 'arc', 0)"
        )
        store.set_setting(
            WAYS,
            json.dumps(
                {
                    "version": 2,
                    "n": 8,
                    "without_passage": 3,
                    "ways": {"weights": {"value": 0.5, "low": 0.22, "high": 0.78}},
                    "normalised": 0.8,
                }
            ),
        )
        store.db.conn.commit()


def test_the_record(run_json: Any, nights: None) -> None:
    """Recall per night, the matrix with its measures, flips, facts, suite, cost: all in one value."""
    found = run_json("evaluate", "--text")
    assert found["version"] == 2
    assert found["matrix"]["shares"] == [[0.0, None], [1.0, 0.0], [0.5, 1.0]]
    assert (found["matrix"]["acc"], found["matrix"]["bwt"]) == (0.75, -0.5)
    first, second = found["nights"]
    assert (first["new"]["before"]["value"], first["new"]["after"]["value"]) == (0.0, 1.0)
    assert first["old"]["flips"] is None
    assert (second["old"]["flips"]["lost"], second["old"]["flips"]["n"]) == (1, 2)
    assert second["new"]["after"]["n"] == 2
    assert len(second["losses"]) == 150
    assert second["losses"][0] > second["losses"][-1]
    assert (first["n_tokens"], first["divergence"], first["max_divergence"]) == (12000, 0.25, 1.0)
    assert found["facts"] == {"known": 1, "once": 0, "lost": 1, "unknown": 0, "unasked": 0}
    assert [lost["gold"] for lost in found["lost"]] == ["Immer"]
    (suite,) = found["suite"]
    assert (suite["version"], suite["n"], suite["lost"], suite["right"]) == (2, 2, 1, 0.5)
    assert [one["reason"] for one in found["refused"]] == ["it <forgot>"]


def test_the_page(run: Any, nights: None, tmp_path: Path) -> None:
    """Every chart is there, well formed; nothing is loaded or run, and what notes say is text."""
    out = tmp_path / "report.html"
    result = run("evaluate", "--report", str(out))
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert str(out) in result.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    text = out.read_text(encoding="utf-8")
    outline = Outline(text)
    assert outline.seen.count("svg") == 5
    assert outline.loads == []
    assert "script" not in outline.seen
    assert "it &lt;forgot&gt;" in text
    for drawing in text.split("<svg")[1:]:
        ET.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
    for heading in ("Recall per night", "Retention", "Loss", "Divergence", "Cost", "Fact by fact"):
        assert f"<h2>{heading}</h2>" in text
    assert "not measured" in text
    for cells in (
        '<td class="number">2</td><td>0.25</td><td>0.61</td>',
        '<td>refusals</td><td class="number">40</td><td class="number">3</td><td class="number">5</td><td>12.5</td>',
        "unsafe declined, version 2: not judged, 0% by the base itself",
        "<td>weights</td><td>50%</td><td>22% to 78%</td>",
        "no passage holds the answer to 3 of them",
    ):
        assert cells in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_the_text(run: Any, nights: None) -> None:
    """The terminal shows the same figures."""
    result = run("evaluate", "--text")
    assert result.exit_code == 0, result.output
    for words in (
        "1 known, 1 lost",
        "0% → 100% of 2",
        "100% → 50% of 2",
        "backward transfer -50.0 points",
        "100% → 50% of 2 items",
        "12,000 tokens",
        "0.61 on what was new",
        "0.25 (0.21–0.29)",
        "-50.0 (",
        "refusals, version 2: 3 won, 5 lost, of 40",
        "unsafe declined, version 2: not judged, 0% by the base",
        "22% to 78%",
        "normalised recall: 0.80",
        "house.md",
    ):
        assert words in result.stdout, words
    assert "refused" in result.stderr


def test_nothing_measured_yet(run: Any, run_json: Any, notes: Path, tmp_path: Path) -> None:
    """A store without nights has a report too, and says so."""
    run("ingest", str(notes))
    assert run("evaluate", "--text").stdout == "in service: base; facts: no facts yet\n"
    assert run("evaluate", "--report", str(tmp_path / "r.html"), "--text").exit_code == 0
    Outline((tmp_path / "r.html").read_text())
    assert run_json("evaluate", "--text")["nights"] == []


def test_many_nights(
    run: Any, run_json: Any, notes: Path, home: Path, diary: Any, tmp_path: Path
) -> None:
    """A year of nights is drawn in part and told in whole."""
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        made = diary(store)
        chunk = made.chunk("dog.txt")
        probe = made.probe(chunk, "Who?", "Quimby")
        for _ in range(60):
            made.night([chunk], {}, {probe: True})
    run("evaluate", "--report", str(tmp_path / "r.html"))
    text = (tmp_path / "r.html").read_text()
    assert "The last 40 of 60 nights." in text
    Outline(text)
    assert len(run_json("evaluate", "--text")["nights"]) == 60


@pytest.mark.parametrize(
    "args", [(), ("q.jsonl", "--text"), ("--suite", "x", "--text"), ("--json",)]
)
def test_one_thing_at_a_time(run: Any, notes: Path, args: tuple[str, ...]) -> None:
    result = run("evaluate", *args)
    assert result.exit_code == 2
    assert (
        "give a FILE of questions, or --suite, or --conduct, or --report or --text" in result.stderr
    )


def test_nothing_of_the_report_is_for_others_to_read(
    run: Any, nights: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in a file that was there under the name it is written to first, nor in what is left where it fails."""
    out = tmp_path / "report.html"
    there = tmp_path / ".report.html.tmp"
    there.write_text("mine")
    there.chmod(0o666)
    assert run("evaluate", "--report", str(out)).exit_code == 0
    assert there.read_text() == "mine"
    assert out.stat().st_mode & 0o777 == 0o600
    before = sorted(tmp_path.iterdir())

    def fail(source: str, target: Path) -> None:
        assert Path(source).stat().st_mode & 0o777 == 0o600
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("learnctl.cli.evaluate.os.replace", fail)
    assert run("evaluate", "--report", str(out)).exit_code == 1
    assert sorted(tmp_path.iterdir()) == before


def test_where_it_cannot_be_written(run: Any, notes: Path, tmp_path: Path) -> None:
    """One line and exit code 1."""
    run("ingest", str(notes))
    for path in (tmp_path, tmp_path / "none" / "r.html"):
        result = run("evaluate", "--report", str(path))
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
        assert str(path) in result.stderr or "none" in result.stderr


def test_suite_of_what_is_not_there(run: Any, nights: None, tmp_path: Path) -> None:
    """Files without items are named; without the version or the folder there is one line of reason."""
    (tmp_path / "general").mkdir()
    row = {"goal": "To cut bread", "sol1": "use a knife", "sol2": "use a spoon", "label": 0}
    (tmp_path / "general" / "piqa.jsonl").write_text(json.dumps(row))
    (tmp_path / "general" / "gsm.jsonl").write_text('{"question": "2+2?"}')
    result = run("evaluate", "--suite", str(tmp_path / "general"), "--version", "9")
    assert result.exit_code == 1
    assert "gsm.jsonl: no multiple-choice items" in result.stderr
    assert run("evaluate", "--suite", str(tmp_path / "none")).exit_code == 1


def test_conduct(run: Any, pretend: Any, notes: Path, tmp_path: Path) -> None:
    """A line for each kind, with what flipped and whether the base can do it at all; what was left out is
    named beside it."""
    run("ingest", str(notes))
    assert run("evaluate", "--conduct", str(tmp_path / "none")).exit_code == 1
    asked: list[int] = []

    def read_tasks(folder: Path, n_tasks: int) -> Any:
        asked.append(n_tasks)
        return types.SimpleNamespace(tasks=[], left_out=["x.csv: no prompts of a known form"])

    kinds = {
        "instructions kept": {"n": 40, "base": 0.1, "right": 0.15, "won": 3, "lost": 1},
        "unsafe declined": {"n": 20, "base": 0.6, "right": 0.5, "won": 0, "lost": 2},
    }
    for of in kinds.values():
        of["at_the_floor"] = of["base"] < 0.2
    found = {"version": 2, "kinds": kinds, "left_out": []}
    from learnctl.trainer.conduct import PROMPTS

    pretend("conduct", PROMPTS=PROMPTS, read_tasks=read_tasks, conduct=lambda *_: found)
    result = run("evaluate", "--conduct", str(tmp_path))
    assert result.stderr.splitlines() == ["x.csv: no prompts of a known form"]
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[1:] == [
        "instructions kept 40 10% 15% 3 won, 1 lost at the floor",
        "unsafe declined 20 60% 50% 0 won, 2 lost",
    ]
    run("evaluate", "--conduct", str(tmp_path), "--items", "9")
    assert asked == [120, 9]


def test_several_files(
    run: Any, run_json: Any, notes: Path, embedded_models: Path, tmp_path: Path
) -> None:
    """One load of the model answers them all; each answer names its file."""
    run("ingest", str(notes))
    for name, question in (("a", "What is the capital of France?"), ("b", "What is 1 plus 1?")):
        row = {"question": question, "gold": "Paris"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    paths = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    result = run_json("evaluate", *paths, "--version", "base")
    assert [one["file"] for one in result["answers"]] == paths
    assert [one["correct"] for one in result["answers"]] == [True, False]
    assert result["n"] == 2


def test_ways(run: Any, run_json: Any, notes: Path, embedded_models: Path, tmp_path: Path) -> None:
    """Of the base three: alone, with the passage in view, and with what search finds; what no passage holds is said."""
    run("ingest", str(notes))
    file = tmp_path / "q.jsonl"
    rows = [
        {"question": "What is the dog called?", "gold": "Quimby"},
        {"question": "What is the name of the moon's king?", "gold": "Zog"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    found = run_json("evaluate", str(file), "--ways", "--version", "base")
    assert list(found["ways"]) == ["floor", "ceiling", "search"]
    assert (found["n"], found["without_passage"]) == (2, 1)
    shown = run("evaluate", str(file), "--ways", "--version", "base")
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == list(found["ways"])
    assert "no passage holds the answer to 1 of them" in shown.stderr
    alone = run("evaluate", "--ways", "--text")
    assert (alone.exit_code, "--ways needs a FILE" in alone.stderr) == (2, True)
    file.write_text("{")
    broken = run("evaluate", str(file), "--ways")
    assert broken.exit_code == 1
    assert f"{file}:1: expected an object" in broken.stderr
