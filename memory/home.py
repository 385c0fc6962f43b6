"""Where one person's things lie: everything under one home folder, models in a cache of their own."""

import hashlib
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from .errors import LearnctlError

# The path of a Unix socket, on the system that allows the least.
MOST_SOCKET_BYTES = 104

# One of these is in every home folder that is in use, whatever was done there first.
_OURS = {"learnctl.db", "config.toml", "daemon.lock", "daemon.log", ".scratch"}


@dataclass(frozen=True)
class Home:
    path: Path

    @property
    def database(self) -> Path:
        return self.path / "learnctl.db"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def lock(self) -> Path:
        return self.path / "consolidate.lock"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def nights(self) -> Path:
        return self.path / "nights"

    @property
    def versions(self) -> Path:
        return self.path / "versions"

    @property
    def daemon_lock(self) -> Path:
        return self.path / "daemon.lock"

    @property
    def daemon_log(self) -> Path:
        return self.path / "daemon.log"

    @property
    def daemon_socket(self) -> Path:
        """In the home folder; in the user's runtime folder where that path is longer than a socket's may be."""
        path = self.path / "daemon.sock"
        encoded = os.fsencode(path)
        if len(encoded) < MOST_SOCKET_BYTES:
            return path
        name = f"{hashlib.sha256(encoded).hexdigest()[:16]}.sock"
        with warnings.catch_warnings():  # where there is no such folder: that it takes another
            warnings.simplefilter("ignore")
            return platformdirs.user_runtime_path("learnctl") / name

    def scratch(self) -> Path:
        """A folder for copies that are needed for a moment; a process that was killed may leave some."""
        return private_folder(self.path / ".scratch")

    @property
    def aside(self) -> Path:
        """Where this folder lies while another one takes its place."""
        path = self.path.resolve()
        return path.with_name(f".{path.name}.replaced")

    def settle(self) -> None:
        """End what was killed while it put another folder in the place of this one: this one comes back, or what
        is left of it goes where the other is in place."""
        if not self.aside.is_dir():
            return
        if not self.path.exists():
            os.rename(self.aside, self.path.resolve())
        elif self.database.exists():
            shutil.rmtree(self.aside, ignore_errors=True)

    def sweep_scratch(self) -> None:
        """Remove such copies: they hold what the store held then."""
        shutil.rmtree(self.path / ".scratch", ignore_errors=True)

    def make(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            LearnctlError: a file is in its place, or a folder with other things in it.
        """
        self.settle()
        if self.path.is_dir():
            names = {entry.name for entry in self.path.iterdir()}
            if names and not names & _OURS:
                raise LearnctlError(
                    f"{self.path} holds other things and no store",
                    hint="give a folder of its own, which may be new",
                )
        elif self.path.exists():
            raise LearnctlError(f"{self.path} is no folder")
        private_folder(self.path)


def find_home(option: Path | None = None) -> Home:
    """The home folder: the option, else `LEARNCTL_HOME`, else the platform's data folder."""
    chosen = option or os.environ.get("LEARNCTL_HOME") or platformdirs.user_data_path("learnctl")
    return Home(Path(chosen).expanduser().absolute())


def models_folder() -> Path:
    """The cache of base models: `LEARNCTL_MODELS`, else the platform's cache folder."""
    chosen = os.environ.get("LEARNCTL_MODELS")
    return (
        Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("learnctl") / "models"
    )


def private_folder(path: Path) -> Path:
    path.mkdir(0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


@contextmanager
def private_files() -> Iterator[None]:
    """What is written meanwhile is for its owner alone from the first byte on: whoever writes may be killed
    before it could change the mode."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
