"""Imports run one way, cli → trainer → memory, and what is heavy is imported where it is used."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BELOW = {
    "memory": {"memory"},
    "trainer": {"trainer", "memory"},
    "cli": {"cli", "trainer", "memory"},
}
HEAVY = {
    "accelerate",
    "bitsandbytes",
    "gguf",
    "huggingface_hub",
    "peft",
    "torch",
    "transformers",
    "xllamacpp",
}
TERMINAL = {"rich", "typer"}


def imports(file: Path, tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The folder of ours, or else the package, that each import names, with where it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node
        elif isinstance(node, ast.ImportFrom) and node.level:
            within = file.relative_to(ROOT).parent.parts
            stays = [*within[: len(within) - node.level + 1], *(node.module or "").split(".")]
            for alias in node.names:
                yield stays[0] or alias.name, node  # `from .. import cli` names it last
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).split(".")[0], node


@pytest.mark.parametrize("layer", BELOW)
def test_imports_run_one_way(layer: str) -> None:
    for file in (ROOT / layer).rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        at_start = {id(node) for node in tree.body}
        for name, node in imports(file, tree):
            assert name not in BELOW or name in BELOW[layer], f"{file} imports {name}"
            assert name != "learnctl", f"{file}: between the folders, imports are relative"
            assert name not in HEAVY or id(node) not in at_start, f"{file} starts with {name}"
            assert layer != "memory" or name not in HEAVY, f"{file} imports {name}"
            assert layer == "cli" or name not in TERMINAL, f"{file} imports {name}"
