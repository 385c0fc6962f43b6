"""Broken files, closed files and a full disk: one line each, and the store is as it was."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.memory.search import search
from learnctl.memory.store import Store

LAMP = "The lamp in the hall is green."
NOBODY = 65534
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

# As root, first goes through it all, so that everything is imported, then gives up being root.
AS_NOBODY = f"""
import contextlib, io, os, sys
from learnctl.cli.app import app, main
if os.getuid() == 0:
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.redirect_stdout(io.StringIO()):
            app(["--home", sys.argv[1] + "/warm", *sys.argv[2:]])
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
sys.argv = ["learnctl", "--home", sys.argv[1] + "/home", *sys.argv[2:]]
main()
"""

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Ki"
REASONS = {
    "broken.json": "broken JSON",
    "cut.pdf": "not a readable PDF",
    "fake.zip": "not a readable zip",
    "link.md": "a link that leads out of the folder",
    "locked.md": "no permission to read it",
    "named.zip": "not a zip, though its name says so",
}


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
@pytest.mark.parametrize("option", [[], ["--dry-run"]], ids=["ingest", "dry run"])
def test_bad_files_cost_one_line_each_and_the_good_one_is_in(option: list[str]) -> None:
    """A folder with every kind of bad file in it: one `refused:` line for each, no traceback, exit
    code 3, and the note between them is taken in and found."""
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to the child's user
        base = Path(name)
        folder = base / "notes"
        folder.mkdir()
        (folder / "good.md").write_text(f"# Hall\n\n{LAMP}\n")
        (folder / "cut.pdf").write_bytes(PDF)
        (folder / "fake.zip").write_bytes(b"PK\x03\x04 and then nothing")
        (folder / "named.zip").write_text("only words")
        (folder / "broken.json").write_text('[{"title": "x", "mapping": {"a": ')
        (folder / "locked.md").write_text("Nobody may read this.")
        (folder / "locked.md").chmod(0)
        (base / "outside.md").write_text("This is none of the folder's.")
        (folder / "link.md").symlink_to(base / "outside.md")
        if os.getuid() == 0:
            os.chown(base, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, name, "ingest", *option, str(folder)],
            capture_output=True,
            text=True,
            env=ENV,
            cwd=name,
        )
        lines = done.stderr.splitlines()
        assert len(lines) == len(REASONS), done.stderr
        for line, (bad, reason) in zip(sorted(lines), REASONS.items(), strict=True):
            assert line.startswith(f"refused: {folder / bad}: {reason}")
        assert done.returncode == 3
        assert "1 document" in done.stdout
        if option:
            assert not (base / "home").exists()
            return
        with Store.open(Home(base / "home")) as store:
            assert [hit.text for hit in search(store, "lamp nobody none words")] == [LAMP]
            assert store.counts()["sources"] == 1


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_a_database_that_cannot_be_written() -> None:
    """One line and exit code 1, the store as it was; once it can be written again, the file comes in and
    all is whole."""
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to the child's user
        base = Path(name)
        for word in ("first", "second"):
            (base / f"{word}.txt").write_text(f"The {word} lamp is green.")

        def run(*args: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "learnctl.cli", "--home", name + "/home", *args]
            return subprocess.run(command, capture_output=True, text=True, env=ENV)

        assert run("ingest", str(base / "first.txt")).returncode == 0
        database = Home(base / "home").database
        before = database.read_bytes()
        database.chmod(0o400)
        if os.getuid() == 0:
            for path in (base, base / "home", database):
                os.chown(path, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, name, "ingest", str(base / "second.txt")],
            capture_output=True,
            text=True,
            env=ENV,
            cwd=name,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("error: the store ")
        assert "Traceback" not in done.stderr
        assert "free some disk" not in done.stderr
        assert database.read_bytes() == before
        database.chmod(0o600)
        again = run("ingest", "--json", str(base / "second.txt"))
        assert json.loads(again.stdout)["documents"] == 1
        checked = run("check")
        assert (checked.returncode, checked.stdout) == (0, "all is whole\n"), checked


# A full disk: a real one, mounted where nobody else sees it, or else files that may not grow. One
# process plays it all and prints what each command did.

FULL = """
import json, os, resource, subprocess, sys
kind, home, small, large = sys.argv[1:]
def run(*args, limit=resource.RLIM_INFINITY):
    def confine():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    done = subprocess.run([sys.executable, "-m", "learnctl.cli", "--home", home + "/home", *args],
                          capture_output=True, text=True, preexec_fn=confine)
    return done.returncode, done.stdout, done.stderr
def grow(size):
    if kind == "disk":
        subprocess.run(["mount", "-o", "remount,size=" + size, home], check=True)
grow("8k")
none = run("ingest", small, limit=8192 if kind == "limit" else resource.RLIM_INFINITY)
grow("1m")
limit = 400_000 if kind == "limit" else resource.RLIM_INFINITY
first = run("ingest", small)
before = run("sources", "--json")
full = run("ingest", "--json", large, limit=limit)
after = run("sources", "--json")
found = run("search", "--json", "lamp", limit=limit)
left = sorted(os.listdir(home + "/home"))
grow("64m")
again = run("ingest", "--json", large)
checked = run("check", "--json")
print(json.dumps(dict(none=none, first=first, before=before, full=full, after=after, found=found, left=left, again=again, checked=checked)))
"""


@pytest.fixture(params=["disk", "limit"])
def on_a_full_disk(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """What each command did: while there was next to no room, a little, and enough."""
    if os.name != "posix":
        pytest.skip("disks are filled in another way")
    small, large, home = tmp_path / "small.txt", tmp_path / "large.txt", tmp_path / "disk"
    small.write_text(LAMP)
    large.write_text("\n\n".join(f"Day {n}: {n * 2654435761} umbrellas." for n in range(12_000)))
    home.mkdir()
    command = [sys.executable, "-c", FULL, request.param, str(home), str(small), str(large)]
    if request.param == "disk":
        mount = f'mount -t tmpfs -o size=1m,mode=700 tmpfs "{home}" && exec "$@"'
        private = [shutil.which("unshare") or "unshare", "--mount", "sh", "-c"]
        try:
            subprocess.run([*private, mount, "sh", "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no disk can be mounted here; the limit on files stands for it")
        command = [*private, mount, "sh", *command]
    done = subprocess.run(command, capture_output=True, text=True, env=ENV)
    assert done.returncode == 0, done.stderr
    played: dict[str, Any] = json.loads(done.stdout)
    return played


def test_a_full_disk(on_a_full_disk: dict[str, Any]) -> None:
    """No room for a store, then none for a file: exit code 1, one line and a hint, nothing on stdout.
    The store is as it was before and answers; with room again, the same file is taken in whole."""
    played = on_a_full_disk
    for name in ("none", "full"):
        code, stdout, stderr = played[name]
        assert (code, stdout) == (1, ""), (name, stderr)
        line, *hint = stderr.splitlines()
        assert line.startswith("error: the store ")
        assert "full" in line or "I/O" in line
        assert hint in ([], ["", "hint: free some disk"])
    assert played["first"][0] == 0
    assert played["after"] == played["before"]
    (hit,) = json.loads(played["found"][1])
    assert hit["snippet"] == LAMP
    assert played["left"] == ["learnctl.db"]
    code, stdout, stderr = played["again"]
    report = json.loads(stdout)
    assert (code, stderr) == (0, "")
    assert (report["documents"], report["skipped"]) == (1, [])
    assert report["chunks"] > 200
    assert json.loads(played["checked"][1])["faults"] == []
