"""Results of benchmarks are taken up again only where they were made with the same settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import results
from learnctl.trainer.options import Options


def test_rows_of_other_settings_are_not_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    options = Options()
    others = [replace(options, epochs=7), replace(options, general_weight=3.0)]
    made: list[str] = []

    def take(options: Options) -> results.Row:
        label = results.label_of(options, "ours", 20)

        def make() -> results.Row:
            made.append(label)
            return {"epochs": options.epochs}

        return results.Results("some").get(label, make)

    for each in [options, *others, options, *others]:
        assert take(each)["epochs"] == each.epochs
    assert len(made) == len(set(made)) == 3
