"""Every test has a home and a model cache of its own; those that need the embedded model say so."""

import os
from pathlib import Path

import pytest

from learnctl.memory.home import models_folder

# Where models lie on this machine, read before any test changes it.
REAL_MODELS = os.environ.get("LEARNCTL_MODELS")
EMBEDDED = models_folder() / "embedded"


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("learnctl")
    monkeypatch.setenv("LEARNCTL_HOME", str(folder / "home"))
    monkeypatch.setenv("LEARNCTL_MODELS", str(folder / "models"))


@pytest.fixture
def home() -> Path:
    """The home folder of this test; nothing is in it yet."""
    return Path(os.environ["LEARNCTL_HOME"])


@pytest.fixture(scope="session")
def embedded_folder() -> Path:
    """The files of the embedded base model; the test is skipped where they are not there."""
    if not (EMBEDDED / "config.json").exists():
        pytest.skip(f"no embedded model in {EMBEDDED}: `make setup` fetches it")
    return EMBEDDED


@pytest.fixture
def embedded_models(embedded_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use this machine's model cache, with the embedded base model in it."""
    if REAL_MODELS is None:
        monkeypatch.delenv("LEARNCTL_MODELS")
    else:
        monkeypatch.setenv("LEARNCTL_MODELS", REAL_MODELS)
    return embedded_folder.parent
