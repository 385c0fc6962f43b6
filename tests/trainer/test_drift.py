"""How sure a divergence is, and how far nights of a store usually move."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from learnctl.memory.store import Store
from learnctl.trainer import evaluate
from learnctl.trainer.adapter import new_adapter
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.drift import CEILING, HARMLESS, Divergence, earlier, over_prompts, usual
from learnctl.trainer.options import Options

Take = Callable[[str, str], int]


def test_the_mean_is_over_tokens() -> None:
    """A prompt with more answer tokens counts more; nothing asked is nothing moved."""
    found = over_prompts([1.0, 9.0], [1, 9])
    assert found == Divergence(1.0, 1.0, 1.0)
    assert over_prompts([2.0, 0.0], [1, 3]).mean == 0.5
    assert over_prompts([], []) == Divergence(0.0, 0.0, 0.0)


def test_what_is_no_number_is_hidden_by_no_interval() -> None:
    found = over_prompts([math.nan, 1.0], [1, 1])
    assert all(math.isnan(one) for one in (found.mean, found.low, found.high))


def test_the_interval_is_that_of_other_prompts() -> None:
    """Nine of ten intervals hold the mean of all the prompts that there could be."""
    chooser = random.Random(1)
    held = 0
    for _ in range(60):
        totals = [chooser.expovariate(1 / 3) for _ in range(40)]
        found = over_prompts(totals, [10] * 40)
        assert found.low < found.mean < found.high
        held += found.low <= 0.3 <= found.high
    assert 46 <= held <= 60


def test_what_was_measured_of_no_number_has_no_interval() -> None:
    found = over_prompts([math.inf, 1.0], [1, 1])
    assert not math.isfinite(found.mean)
    assert usual([0.3] * 4, found) is None


@pytest.mark.parametrize(
    ("nights", "low", "high"),
    [
        ([0.31, 0.40], None, None),
        ([0.31, 0.40, 0.36], 0.45, 0.75),
        ([0.31, 0.33, 0.32, 0.33, 0.31], 0.38, 0.5),
        ([0.2, 0.5, 0.9], CEILING, CEILING),
        ([0.02, 0.021, 0.022], HARMLESS, HARMLESS),
    ],
)
def test_what_is_usual(nights: list[float], low: float | None, high: float | None) -> None:
    """From three nights on: beyond them by what they differ and by what prompts change, at most the ceiling
    and never below what does no harm."""
    found = usual(nights, Divergence(0.4, 0.33, 0.48))
    if low is None or high is None:
        assert found is None
    else:
        assert low <= (found or 0) <= high


def test_more_nights_know_better() -> None:
    """The same spread leaves less room the more nights show it; noise of the measurement leaves more."""
    moved = Divergence(0.4, 0.33, 0.48)
    few = usual([0.3, 0.36, 0.42], moved) or 0
    many = usual([0.3, 0.36, 0.42] * 3, moved) or 0
    rough = usual([0.3, 0.36, 0.42] * 3, Divergence(0.4, 0.2, 0.8)) or 0
    assert 0 < many < few
    assert many < rough


def test_each_prompt_counts_once(store: Store, llama: Base) -> None:
    """Of a real model: the untouched base has moved nowhere; one that was shaken has, and over some prompts
    more than over others."""
    import torch

    against = evaluate.reference(llama, evaluate.own_answers(store, llama))
    assert evaluate.divergence(llama, llama.model, against) == Divergence(0.0, 0.0, 0.0)
    model = new_adapter(llama, 4, 0)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_(std=0.02)
    found = evaluate.divergence(llama, model, against)
    assert 0 < found.low < found.mean < found.high


def test_nights_learn_from_nights(
    store: Store, take: Take, settings: Callable[..., Options]
) -> None:
    """From the fourth on a night that moves much further than those before is refused, and says how far is
    usual."""
    quiet: dict[str, Any] = {"epochs": 2, "max_divergence": "auto", "learning_rate": 2e-2}
    take("0.txt", "The boiler was serviced by Harald Immer on 4 March.\n")
    first = consolidate(store, settings(**quiet))
    assert first["decision"] == "promoted"
    assert first["max_divergence"] == CEILING
    low, high = first["divergence_interval"]
    assert low <= first["divergence"] <= high
    assert first["divergence_on_new"] > 0
    # Three more such nights, as the store would hold them.
    for version in range(2, 5):
        store.db.execute(
            "INSERT INTO adapters SELECT ?, run_id, parent, 'fast', base_name, base_digest, sha256,"
            " created_at, state FROM adapters WHERE version = 1",
            [version],
        )
    run = {"level": "fast", "base_digest": store.value("SELECT base_digest FROM adapters")}
    assert earlier(store, run) == [first["divergence"]] * 3
    assert earlier(store, run | {"base_digest": "another"}) == []
    assert earlier(store, run | {"level": "slow"}) == [first["divergence"]]
    take("1.txt", "The new fence cost 640 euros and was painted by Hanna Brook.\n")
    refused = consolidate(store, settings(**quiet | {"learning_rate": 1.2e-1}))
    assert refused["decision"] == "refused"
    assert "the nights before explain" in refused["reason"]
    assert HARMLESS <= refused["max_divergence"] < CEILING
    assert refused["divergence"] < CEILING
