"""The folders, pyproject.toml, constraints.txt and the documents agree with each other."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("cli", "memory", "trainer")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def canonical(requirement: str) -> str:
    """The name in a requirement such as `Foo_bar[extra]>=1; marker`, as an index spells it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports, relative imports left out."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_every_package_is_listed() -> None:
    """Every folder of code that the repository shows is one that the wheel carries."""
    settings = PYPROJECT["tool"]["setuptools"]
    on_disk = {
        init.parent.relative_to(ROOT).as_posix()
        for top in FOLDERS
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert set(settings["package-dir"].values()) == on_disk
    assert set(settings["package-dir"]) == set(settings["packages"])


def test_no_code_lies_outside_a_package() -> None:
    for top in FOLDERS:
        for file in (ROOT / top).rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), file


def test_everything_imported_is_declared() -> None:
    """What comes only with something else may leave with it."""
    extra = PYPROJECT["project"]["optional-dependencies"]["llamacpp"]
    declared = {canonical(line) for line in PYPROJECT["project"]["dependencies"] + extra}
    carriers = packages_distributions()
    for top in FOLDERS:
        for file in (ROOT / top).rglob("*.py"):
            for name in imported(file) - sys.stdlib_module_names:
                carried_by = {canonical(carrier) for carrier in carriers.get(name, [name])}
                assert carried_by & declared, f"{file} imports {name}"


def test_every_dependency_is_pinned() -> None:
    project = PYPROJECT["project"]
    wanted = {
        canonical(line)
        for lines in (project["dependencies"], *project["optional-dependencies"].values())
        for line in lines
    }
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert wanted - {canonical(pin) for pin in pins} == {
        "pip"
    }  # the pip that comes with the venv does


def test_no_document_installs_the_namesake() -> None:
    """`learnctl` on PyPI is somebody else's program; ours is `learnctl-llm`."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        text = document.read_text(encoding="utf-8")
        assert not re.search(r"(pip|pipx|tool) install [^\n]*\blearnctl(?!-llm)\b", text), document
