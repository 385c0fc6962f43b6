"""Packing saves work and changes nothing: every row comes out as if it stood alone."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.trainer import base as bases
from learnctl.trainer import train
from learnctl.trainer.adapter import new_adapter
from learnctl.trainer.base import PLAIN_TEMPLATE, Base
from learnctl.trainer.bearing import bearing
from learnctl.trainer.compute import quickly
from learnctl.trainer.generate import prompt_ids
from learnctl.trainer.pack import Row, encode, lay_out, pack
from learnctl.trainer.train import answer_logits, loss_of, row_losses, soften

FAMILIES = ("llama", "qwen", "gemma", "gemma3")
PAIRS = [
    ("What is the dog called?", "The dog is called Quimby."),
    ("What is the dog afraid of?", "Umbrellas."),
    ("What is the dog called?", "Quimby, of course."),
    ("Who services the boiler?", "Harald Immer, every March, in Larkhill Cottage."),
]
N_NODES = 256


def lay(base: Base, rows: list[Row], n_nodes: int = N_NODES) -> Any:
    return lay_out(rows, n_nodes, base.tokenizer.pad_token_id)


def alone(base: Base, row: Row) -> Any:
    """The logits at the answer's positions of a row that the model sees by itself."""
    import torch

    with torch.inference_mode():
        logits = base.model(torch.tensor([row.ids])).logits[0].float()
    return logits[row.answer_start - 1 : -1]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_row_as_if_alone(
    tiny: Callable[[str], Base], chat_rows: Callable[..., list[Row]], family: str
) -> None:
    """A row has the same logits and the same loss in a pack with others as by itself."""
    import torch

    base = tiny(family)
    rows = chat_rows(base, PAIRS)
    laid = lay(base, rows)
    with torch.inference_mode():
        logits = answer_logits(base.model, [laid], base.device)
    expected = [alone(base, row) for row in rows]
    torch.testing.assert_close(logits, torch.cat(expected), atol=1e-4, rtol=0)

    losses = [
        torch.nn.functional.cross_entropy(one, torch.tensor(row.ids[row.answer_start :]))
        for one, row in zip(expected, rows, strict=True)
    ]
    assert float(loss_of(logits, [laid])) == pytest.approx(float(sum(losses)), abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_packs_beside_each_other(
    tiny: Callable[[str], Base], chat_rows: Callable[..., list[Row]], family: str
) -> None:
    """Two packs in one batch have the same logits as one after the other."""
    import torch

    base = tiny(family)
    rows = chat_rows(base, PAIRS)
    packs = [lay(base, rows[:1]), lay(base, rows[1:])]
    with torch.inference_mode():
        together = answer_logits(base.model, packs, base.device)
        apart = [answer_logits(base.model, [one], base.device) for one in packs]
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-4, rtol=0)


def test_prefixes_are_computed_once(llama: Base, chat_rows: Callable[..., list[Row]]) -> None:
    """Rows that begin alike share the nodes of their beginning."""
    one, other = chat_rows(llama, [PAIRS[0], PAIRS[2]])
    shared = 0
    while one.ids[shared] == other.ids[shared]:
        shared += 1
    assert shared >= one.answer_start
    laid = lay(llama, [one, other])
    assert laid.n_tokens == len(one.ids) + len(other.ids) - shared
    assert lay(llama, [one, one]).n_tokens == len(one.ids)


def test_shape_is_fixed(llama: Base, chat_rows: Callable[..., list[Row]]) -> None:
    """Whatever rows a pack holds, its tensors have the same number of nodes."""
    rows = chat_rows(llama, PAIRS)
    for some in (rows[:1], rows):
        laid = lay(llama, some)
        assert laid.tokens.shape == laid.positions.shape == (N_NODES,)
        assert laid.sees.shape == (N_NODES, N_NODES)
        assert laid.weight == len(some)


def test_answers_alone_carry_loss(llama: Base, chat_rows: Callable[..., list[Row]]) -> None:
    """Targets are the answers' tokens, one weight a row in sum, and none lies in a question."""
    rows = chat_rows(llama, PAIRS)
    laid = lay(llama, rows)
    wanted = [token for row in rows for token in row.ids[row.answer_start :]]
    assert laid.targets[:, 0].tolist() == wanted
    assert float(laid.weights.sum()) == pytest.approx(len(rows))
    assert llama.tokenizer.decode(rows[0].ids[rows[0].answer_start :]) == (
        "The dog is called Quimby.<|eot_id|>"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_end_of_turn_is_the_last_target(
    tiny: Callable[[str], Base], chat_rows: Callable[..., list[Row]], family: str
) -> None:
    """Each answer is trained to end: with a token that ends generation, and with nothing after it."""
    base = tiny(family)
    for row in chat_rows(base, PAIRS):
        assert row.ids[-1] in base.stop_ids
        assert not set(row.ids[row.answer_start : -1]) & set(base.stop_ids)


@pytest.mark.parametrize("family", FAMILIES)
def test_asked_as_it_was_trained(
    tiny: Callable[[str], Base], chat_rows: Callable[..., list[Row]], family: str
) -> None:
    """What stands before an answer in training is, token for token, what an answer is asked with."""
    base = tiny(family)
    for row, (question, _) in zip(chat_rows(base, PAIRS), PAIRS, strict=True):
        asked = prompt_ids(base, [{"role": "user", "content": question}])
        assert list(row.ids[: row.answer_start]) == asked


def test_padding_contributes_nothing(llama: Base, chat_rows: Callable[..., list[Row]]) -> None:
    """Other padding, and more of it, gives the same logits."""
    import torch

    rows = chat_rows(llama, PAIRS)
    usual = lay(llama, rows)
    others = [lay_out(rows, N_NODES, 99), lay(llama, rows, N_NODES + 64)]
    assert usual.n_tokens < N_NODES
    with torch.inference_mode():
        expected = answer_logits(llama.model, [usual], llama.device)
        for other in others:
            found = answer_logits(llama.model, [other], llama.device)
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_groups_keep_order_and_fit(llama: Base, chat_rows: Callable[..., list[Row]]) -> None:
    """Rows are split in their order, each group within the nodes of a pack; too long a row is refused."""
    rows = chat_rows(llama, PAIRS)
    n_nodes = 1 + max(len(row.ids) for row in rows)
    groups = pack(rows, n_nodes)
    assert [row for group in groups for row in group] == rows
    assert all(lay(llama, group, n_nodes).n_tokens <= n_nodes for group in groups)
    assert len(groups) > 1
    with pytest.raises(ValueError, match="does not fit a pack of 8"):
        pack(rows, 8)


def test_soft_rows_want_the_base_s_own_answer(
    llama: Base, chat_rows: Callable[..., list[Row]]
) -> None:
    """A soft row wants the probabilities that the base gave, whatever the text says."""
    import torch

    rows = chat_rows(llama, PAIRS[:2])
    soft = soften(llama, rows, N_NODES)
    assert [row.ids for row in soft] == [row.ids for row in rows]
    laid = lay(llama, soft)
    with quickly(llama, llama.model):
        own = answer_logits(llama.model, [laid], llama.device)
    assert laid.targets[:, 0].tolist() == own.argmax(-1).tolist()
    torch.testing.assert_close(laid.shares, own.softmax(-1).gather(-1, laid.targets))
    # The base itself is the best answer to them: there the loss has no slope.
    logits = own.clone().detach().requires_grad_()
    loss_of(logits, [laid]).backward()
    torch.testing.assert_close(logits.grad, torch.zeros_like(own), atol=1e-5, rtol=0)
    ratio = own.softmax(-1).gather(-1, laid.targets) / laid.shares
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    assert loss_of(own, [laid]) < loss_of(own.roll(1, dims=-1), [laid])


def test_hard_and_soft_rows_in_one_pack(llama: Base, chat_rows: Callable[..., list[Row]]) -> None:
    """The loss of a mixed pack is the sum of the losses of its rows apart."""
    import torch

    first, second = chat_rows(llama, PAIRS[:2])
    rows = [first, *soften(llama, [second], N_NODES)]
    packs = [lay(llama, rows), lay(llama, rows[:1]), lay(llama, rows[1:])]
    with torch.inference_mode():
        together, *apart = (
            float(loss_of(answer_logits(llama.model, [one], llama.device), [one])) for one in packs
        )
    assert together == pytest.approx(sum(apart), abs=1e-4)


def test_form_without_stop_token_is_refused(llama: Base) -> None:
    """A chat form whose answers do not end with a token that ends generation cannot be trained on."""
    llama.tokenizer.chat_template = (
        "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    with pytest.raises(LearnctlError, match="does not end an answer with a stop token"):
        encode(llama.tokenizer, [{"role": "user", "content": "Hi"}], "Hello", llama.stop_ids)


def test_form_that_opens_a_thinking_block(tiny: Callable[[str], Base]) -> None:
    """Where the form opens a thinking block before an answer, the answer's final form is trained."""
    base = tiny("qwen")
    base.tokenizer.chat_template = base.tokenizer.chat_template.replace(
        "<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\n<think>\n{% endif %}"
    )
    row = encode(base.tokenizer, [{"role": "user", "content": "Hi"}], "Hello", base.stop_ids)
    assert base.tokenizer.decode(row.ids[row.answer_start :]) == "Hello<|im_end|>"


def test_form_that_thinks_unless_told_not_to(tiny: Callable[[str], Base]) -> None:
    """Where thinking can be switched off in the form, as in Qwen3's, it is, in training and in asking."""
    base = tiny("qwen")
    base.tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
        "{% if message['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
        "{{ message['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is defined and enable_thinking is false %}"
        "<think>\n\n</think>\n\n{% endif %}{% endif %}"
    )
    chat = [{"role": "user", "content": "Hi"}]
    row = encode(base.tokenizer, chat, "Hello", base.stop_ids)
    assert base.tokenizer.decode(row.ids[row.answer_start :]) == "Hello<|im_end|>"
    assert list(row.ids[: row.answer_start]) == prompt_ids(base, chat)


def test_form_that_tells_the_day(llama: Base) -> None:
    """What is trained is the same on every day, and so is what is asked, where the form puts today's date in front, as Llama 3.2's does."""
    llama.tokenizer.chat_template = (
        "{% if not date_string is defined %}{% if strftime_now is defined %}"
        "{% set date_string = strftime_now('%d %b %Y') %}{% else %}"
        "{% set date_string = '26 Jul 2024' %}{% endif %}{% endif %}"
        "<|start_header_id|>system<|end_header_id|>\n\nToday Date: {{ date_string }}<|eot_id|>"
        f"{llama.tokenizer.chat_template}"
    )
    chat = [{"role": "user", "content": "Hi"}]
    row = encode(llama.tokenizer, chat, "Hello", llama.stop_ids)
    assert "Today Date: 26 Jul 2024<|eot_id|>" in llama.tokenizer.decode(row.ids)
    assert list(row.ids[: row.answer_start]) == prompt_ids(llama, chat)


def test_an_unknown_token_that_ends_texts(
    tiny_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    """Where a base has one token for both, as many do, that still ends an answer, and nothing else does."""
    folder = shutil.copytree(tiny_folder("qwen"), tmp_path / "qwen")
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "unk_token": "<|im_end|>"}))
    base = bases.load(str(folder))
    assert base.tokenizer.unk_token_id == base.tokenizer.eos_token_id
    assert base.stop_ids == [base.tokenizer.eos_token_id]


def test_plain_form_of_models_without_one(llama: Base) -> None:
    """The form given to models that come without one ends each answer with a stop token."""
    llama.tokenizer.chat_template = PLAIN_TEMPLATE
    row = encode(llama.tokenizer, [{"role": "user", "content": "Hi"}], "Hello", llama.stop_ids)
    assert llama.tokenizer.decode(row.ids) == "user: Hi\nassistant: Hello<|eot_id|>"


@pytest.mark.parametrize("name", ["logits_scaling", "logit_scale"])
def test_logits_are_scaled_as_the_model_itself_scales_them(
    llama: Base, chat_rows: Callable[..., list[Row]], name: str
) -> None:
    """Granite divides what its head says, and Cohere multiplies it."""
    import torch
    from transformers import CohereConfig, CohereForCausalLM, GraniteConfig, GraniteForCausalLM

    given = llama.model.config
    shape = {
        "vocab_size": given.vocab_size,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        name: 4.0,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = (
            GraniteForCausalLM(GraniteConfig(**shape))
            if name == "logits_scaling"
            else CohereForCausalLM(CohereConfig(**shape))
        )
    base = replace(llama, model=model.eval())
    (row, *_) = chat_rows(base, PAIRS)
    with torch.inference_mode():
        logits = answer_logits(base.model, [lay(base, [row])], base.device)
    torch.testing.assert_close(logits, alone(base, row), atol=1e-4, rtol=0)


def test_the_vocabulary_is_looked_at_in_slices(
    llama: Base, chat_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many answer tokens are measured at once, and to the same result."""
    pairs = [(f"What is {n}?", f"It is the number {n}, and no other.") for n in range(9)]
    rows = chat_rows(llama, pairs)
    model = new_adapter(llama, 2, seed=0)
    widths: list[int] = []
    head = llama.model.get_output_embeddings()
    head.register_forward_hook(lambda _, states, logits: widths.append(len(states[0])))

    def measured() -> list[Any]:
        widths.clear()
        losses = row_losses(llama, model, rows, 512)
        told = bearing(llama, model, pairs[0][0], [answer for _, answer in pairs])
        (first, *_) = soften(llama, rows, 512)
        assert first.soft
        return [*losses, *told, *first.soft[1].flatten().tolist()]

    at_once = measured()
    assert max(widths) > 50
    monkeypatch.setattr(train, "LOGITS_AT_ONCE", 7)
    assert measured() == pytest.approx(at_once, abs=1e-4)
    assert max(widths) == 7
