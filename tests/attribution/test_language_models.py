"""Answers of language models: what is asked, what is masked, and known answers."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba import InputIBA
from input_iba.core.targets import GenerationTarget
from input_iba.errors import AttributionError, ConfigError
from input_iba.records import Attribution
from tests.models.tiny_lm import (
    FILLERS,
    ID,
    WORDS,
    prompts,
    tiny_gpt2,
    tiny_llama,
    tokenizer,
    train_to_copy,
)

MODELS: dict[str, Callable[..., Any]] = {"gpt2": tiny_gpt2, "llama": tiny_llama}
TEXT, SHORT = "w3 w1 key key7 w2 ask", "w5 key key2 ask"


def fitted(model: nn.Module, side: str = "right") -> InputIBA:
    drawn, _ = prompts(40, torch.Generator().manual_seed(3))
    return InputIBA(model, tokenizer=tokenizer(side), precision="fp32").fit(drawn)


def explained(iba: InputIBA, inputs: Any, asked: GenerationTarget, **how: Any) -> list[Attribution]:
    found = iba.attribute(inputs, asked, **how)
    return [found[i] for i in range(len(found))]


def ids_of(text: str) -> Tensor:
    return torch.tensor([ID[word] for word in text.split()])


@pytest.mark.parametrize("name", MODELS)
def test_the_loss_is_the_mean_cross_entropy_of_the_answer(name: str) -> None:
    net = MODELS[name]()
    found = explained(fitted(net), TEXT, GenerationTarget("key1 key2 key3", each_token=True))
    whole = ids_of(f"{TEXT} key1 key2 key3")
    with torch.no_grad():
        chances = net(whole[None]).logits[0].log_softmax(-1)
    each = torch.stack([chances[place - 1, whole[place]] for place in (6, 7, 8)])
    expected = [each.mean(), *each]
    assert [record.asked for record in found] == ["answer: key1 key2 key3", "key1", "key2", "key3"]
    met = torch.tensor([record.target_probability for record in found])
    torch.testing.assert_close(met, torch.stack(expected).exp())


@pytest.mark.parametrize("name", MODELS)
def test_own_answers_are_the_likeliest_tokens_one_by_one(name: str) -> None:
    net, ids = MODELS[name](seed=4), ids_of(TEXT)
    for _ in range(5):
        with torch.no_grad():
            ids = torch.cat([ids, net(ids[None]).logits[0, -1:].argmax(-1)])
    said = " ".join(WORDS[i] for i in ids[6:])
    [record] = explained(fitted(net), TEXT, GenerationTarget(max_tokens=5))
    assert record.asked == f"answer: {said}"


@pytest.mark.parametrize("name", MODELS)
def test_prompts_are_explained_together_as_alone_whichever_side_is_padded(name: str) -> None:
    net, asked = MODELS[name](), GenerationTarget("key1 w4", each_token=True)
    ids = ["a", "b", "c", "d", "e", "f"]
    both = explained(fitted(net), [TEXT, SHORT], asked, ids=ids)
    long = explained(fitted(net, "left"), TEXT, asked, ids=ids[:3])
    short = explained(fitted(net, "left"), SHORT, asked, ids=ids[3:])
    for one, other in zip(both, [*long, *short], strict=True):
        assert one.asked == other.asked
        torch.testing.assert_close(one.map, other.map, rtol=1e-3, atol=1e-5)
    # As token ids, in a batch, without a tokenizer.
    target = GenerationTarget(ids_of("key1 w4"), each_token=True)
    plain = InputIBA(net, precision="fp32").fit(prompts(40, torch.Generator().manual_seed(3))[0])
    again = explained(plain, ids_of(TEXT)[None], target, ids=ids[:3])
    for one, other in zip(again, long, strict=True):
        torch.testing.assert_close(one.map, other.map, rtol=1e-3, atol=1e-5)


def test_the_prompt_alone_is_masked_special_tokens_are_seen_and_not_scored() -> None:
    net = tiny_llama()
    [record] = explained(fitted(net), f"<|user|> {TEXT} <|user|>", GenerationTarget("key1 w4"))
    assert [word for word, _ in record.words] == TEXT.split()
    assert len(record.map) == 8 + 2
    assert record.map[[0, 7, 8, 9]].tolist() == [0, 0, 0, 0]
    with torch.no_grad():
        whole = ids_of(f"<|user|> {TEXT} <|user|> key1 w4")
        chances = net(whole[None]).logits[0].log_softmax(-1)
    expected = (chances[7, ID["key1"]] + chances[8, ID["w4"]]) / 2
    assert record.target_probability == pytest.approx(expected.exp().item(), rel=1e-4)


def test_words_of_an_answer_can_be_chosen_in_one_card() -> None:
    asked = GenerationTarget("key1 <unk> w4", each_token=True)
    found = fitted(tiny_gpt2()).attribute([TEXT, SHORT], asked)
    shown = found._repr_html_()
    assert shown.count('class="input-iba-card') == 2
    assert shown.count("<section>") == 8
    assert shown.count(" checked>") == 2
    assert "&lt;unk&gt;</label>" in shown
    assert "<section>" not in found[:1]._repr_html_()


def test_the_padding_may_be_part_of_an_answer() -> None:
    answer = [ID["key1"], 0, 0]  # as where a tokenizer pads with the token that ends texts
    [record] = explained(fitted(tiny_gpt2()), ids_of(TEXT)[None], GenerationTarget(answer))
    assert len(record.map) == 6 + 3


@pytest.mark.parametrize("name", MODELS)
def test_the_model_comes_back_as_it_was_and_keeps_no_keys_and_values(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = MODELS[name]()
    iba, told = fitted(net), list[Any]()
    state, config = deepcopy(net.state_dict()), net.config.to_dict()
    hooks = net.register_forward_pre_hook(
        lambda _m, _args, kwargs: told.append(kwargs.get("use_cache")), with_kwargs=True
    )
    iba.attribute(TEXT, GenerationTarget("key1"))
    assert set(told) == {False}
    told.clear()
    iba.attribute(TEXT, GenerationTarget(max_tokens=2))
    assert True in told  # keys and values are kept where an answer grows
    hooks.remove()

    def fails(*_args: Any) -> None:
        raise RuntimeError("amid the steps")

    for asked in (GenerationTarget("key1"), GenerationTarget(max_tokens=2)):
        with pytest.raises(RuntimeError, match="amid the steps"):
            iba.attribute(TEXT, asked, progress=fails)
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())
    assert net.config.to_dict() == config
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert not any(module.__dict__.get("forward") for module in net.modules())
    tied = net.get_input_embeddings().weight is net.get_output_embeddings().weight
    assert tied == (name == "gpt2")


@pytest.mark.parametrize("name", MODELS)
def test_weights_may_be_in_half_precision(name: str) -> None:
    exact = MODELS[name]()
    half = deepcopy(exact).to(torch.bfloat16)
    asked = GenerationTarget("key1 key2", each_token=True)
    one, other = (explained(fitted(net), TEXT, asked) for net in (exact, half))
    for mine, exactly in zip(other, one, strict=True):
        assert mine.map.dtype == torch.float32
        assert bool(mine.map.isfinite().all())
        assert mine.target_probability == pytest.approx(exactly.target_probability, rel=0.1)
    assert next(half.parameters()).dtype == torch.bfloat16


def test_what_cannot_be_asked_is_refused() -> None:
    iba = fitted(tiny_gpt2())
    refused = {
        "holds no token": GenerationTarget(()),
        "The answer may have 40 tokens, and the model reads 32": GenerationTarget(max_tokens=40),
        "target.token is 2; the answer has 1 tokens": GenerationTarget("key1", token=2),
    }
    for said, asked in refused.items():
        with pytest.raises(ConfigError, match=said):
            iba.attribute(TEXT, asked)
    ids = ids_of(TEXT)[None]
    with pytest.raises(ConfigError, match="no tokenizer= is given"):
        InputIBA(tiny_gpt2()).attribute(ids, GenerationTarget("key1"))
    cut = nn.Sequential(nn.Embedding(len(WORDS), 8), nn.Linear(8, len(WORDS)))
    with pytest.raises(ConfigError, match="has no method `generate`"):
        InputIBA(cut, "0").attribute(ids, GenerationTarget())
    tagged = InputIBA(cut, "0").fit(ids.repeat(3, 1))
    [record] = explained(
        tagged, ids, GenerationTarget([ID["key1"]])
    )  # any logits per token will do
    assert record.asked == f"answer: {ID['key1']}"
    with pytest.raises((AttributionError, ConfigError)):
        InputIBA(nn.Sequential(nn.Flatten(), nn.Linear(12, 2))).attribute(
            torch.rand(1, 3, 2, 2), GenerationTarget("key1")
        )


def test_a_model_that_ends_at_once_has_no_answer() -> None:
    net = tiny_gpt2(tie_word_embeddings=False)
    with torch.no_grad():
        net.lm_head.weight.zero_()  # all tokens are as likely, and the padding is the first
    with pytest.raises(ConfigError, match="ends at once"):
        InputIBA(net, "transformer.h.1", tokenizer=tokenizer()).attribute(TEXT, GenerationTarget())


@pytest.mark.slow
def test_known_answer_the_copied_word_comes_first() -> None:
    net = tiny_gpt2()
    assert train_to_copy(net) > 0.98
    generator = torch.Generator().manual_seed(5)
    ids, places = prompts(100, generator)
    iba = InputIBA(net, precision="fp32").fit(prompts(300, generator)[0])
    found = explained(iba, ids, GenerationTarget(max_tokens=1))
    first = torch.stack([record.map[:11].argmax() for record in found])
    assert (first == places[:, 0]).sum() >= 95


@pytest.mark.slow
def test_known_answer_every_answered_token_has_its_own_word() -> None:
    net = tiny_llama()
    assert train_to_copy(net, marked=False) > 0.98
    generator = torch.Generator().manual_seed(5)
    ids, places = prompts(100, generator, marked=False)
    iba = InputIBA(net, precision="fp32").fit(prompts(300, generator, marked=False)[0])
    found = explained(iba, ids, GenerationTarget(max_tokens=2, each_token=True))
    maps = torch.stack([record.map[:11] for record in found]).view(100, 3, 11)
    both = maps[:, 0].topk(2).indices.sort().values
    assert (both == places).all(1).sum() >= 95
    assert (maps[:, 1:].argmax(2) == places).sum(0).min() >= 95


def test_a_map_per_token_costs_little_more_than_the_input_stages() -> None:
    net, answer = tiny_gpt2(n_layer=6, n_positions=64), FILLERS
    iba = InputIBA(net, tokenizer=tokenizer(), precision="fp32")
    iba.fit(prompts(40, torch.Generator().manual_seed(3))[0])
    rows, blocks = list[int](), net.transformer.h
    for block in blocks:  # within them, which runs only where they are not skipped
        block.ln_1.register_forward_hook(lambda _m, args, _out: rows.append(len(args[0])))
    asked = GenerationTarget([ID[word] for word in answer], each_token=True)
    assert len(answer) == 20
    iba.attribute(ids_of(SHORT)[None], asked)
    passes = sum(rows) / len(blocks)
    steps = iba._attributor.input_iba  # type: ignore[union-attr]
    alone = 20 * steps.opt_steps * steps.batch_size
    assert passes <= 1.3 * alone, f"{passes:.0f} passes, of {alone} of 20 input stages"
