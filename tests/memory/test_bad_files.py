"""Hostile files by the hundred, and whatever comes to hypothesis' mind: a line each, and nothing more."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learnctl.memory import sandbox
from learnctl.memory.errors import UnreadableSource
from learnctl.memory.readers import FORMATS
from learnctl.memory.records import Conversation, Document

# What readers look for, so that they are entered and not only passed by.
OPENINGS = (
    "", "%PDF-1.4\n", "{\\rtf1 ", "PK\x03\x04", "<html><body>", "<?xml version='1.0'?>", "From a Mon Mar 4 10:00:00 2024\n",
    "From: a@b.org\nSubject: x\n", '{"messages": [', '[{"mapping": {', '[{"chat_messages": [', '{"cells": [', "---\ntitle: ",
    "#+TITLE: x\n", "a,b\n1,", "SQLite format 3\x00", "[01.02.24, 10:00:00] Ann: ", "[10:00] <ann> ", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
)  # fmt: skip
ENDINGS = (
    "txt", "md", "rst", "org", "html", "pdf", "docx", "odt", "rtf", "pptx", "xlsx", "csv", "epub", "ipynb", "eml", "msg", "mbox",
    "zip", "tar", "json", "jsonl", "db", "log", "",
)  # fmt: skip


def test_bad_files_of_every_kind(benchmark: Any) -> None:
    """The quick part of `benchmarks/bad_files.py`, whose whole is run by hand."""
    done = benchmark("bad_files", "--quick", "--json")
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["files"] >= 120
    assert (report["tracebacks"], report["hangs"]) == (0, 0), report
    assert report["faults"] == []
    assert report["peak_rss_mb"] < 500
    assert report["outcomes"]["name"] == {"taken": 23}


@pytest.mark.parametrize("ending", ENDINGS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    opening=st.sampled_from(OPENINGS),
    rest=st.one_of(
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=300),
        st.lists(st.sampled_from(["{", "[", '"', ":", ",", "<a>", "\n\n", "\\", "--", "= ", "0", "x "]))
        .map("".join)
        .map(str.encode),
    ),
)  # fmt: skip
def test_anything_is_read_or_refused_in_one_line(
    tmp_path: Path, ending: str, opening: str, rest: bytes
) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(opening.encode("latin-1") + rest)
    try:
        assert sandbox.detect(path) in {*FORMATS, "archive"}
        for item in sandbox.read(path):
            assert isinstance(item, Document | Conversation)
    except UnreadableSource as error:
        assert str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
        assert "broke the reader" not in str(error)  # noqa: PT017
