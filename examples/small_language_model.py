"""A tiny language model that answers questions: which words made it say this?

It is trained on stories such as "Ann has the map . Ben lost the key . Gil sells the lamp . who lost
it ?" and answers with a name, or, asked "what was lost ?", with a thing. What decides is planted:
the sentence of who lost something; the others are about other people and other things. The script
says how much of the map lies there. Needs the extra: pip install 'input-iba[text]'

    python examples/small_language_model.py            half a minute of one core; writes two files
    python examples/small_language_model.py --small    a few seconds, with shorter stories
"""

import argparse
import random
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import input_iba
from input_iba import GenerationTarget

NAMES = ["Ann", "Ben", "Carl", "Dora", "Emil", "Fay", "Gil", "Hana"]
THINGS = ["map", "key", "lamp", "rope", "coin", "book", "flute", "knife"]
VERBS, OTHERS = (
    ["has", "sells", "likes", "wants"],
    ["lost", "the", ".", "who", "it", "what", "was", "?"],
)


def story(draw: random.Random, people: int) -> tuple[str, str, range]:
    """Return a story with its question, the answer, and the places of the sentence that decides."""
    names, things = draw.sample(NAMES, people), draw.sample(THINGS, people)
    loser, verbs = draw.randrange(people), draw.choices(VERBS, k=people)
    verbs[loser] = "lost"
    said = " ".join(f"{a} {b} the {c} ." for a, b, c in zip(names, verbs, things, strict=True))
    question, answers = draw.choice([("who lost it ?", names), ("what was lost ?", things)])
    return f"{said} {question}", answers[loser], range(5 * loser, 5 * loser + 4)


def word_tokenizer() -> Any:
    """Return a tokenizer for which every word is a token."""
    words = ["<end>", "<unk>", *NAMES, *THINGS, *VERBS, *OTHERS]
    cuts = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    cuts.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=cuts, eos_token="<end>", unk_token="<unk>", pad_token="<end>"
    )


def trained(tokenizer: Any, people: int, steps: int) -> Any:
    """Return a small Llama that has learned to answer."""
    sizes = dict(hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4)
    ends = dict(bos_token_id=0, eos_token_id=0, pad_token_id=0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes, **ends))
    optimiser, draw = torch.optim.AdamW(model.parameters(), lr=4e-3), random.Random(0)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 4e-3 * (1 - step / steps)
        stories = [story(draw, people) for _ in range(64)]
        lines = [f"{prompt} {answer}" for prompt, answer, _ in stories]
        ids = tokenizer(lines, return_tensors="pt").input_ids
        labels = ids.clone()
        labels[:, :-1] = -100  # what is learned is the answer
        loss = model(ids, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def answers(model: Any, tokenizer: Any, prompts: list[str]) -> list[str]:
    """Return the word that the model says after each prompt."""
    ids = tokenizer(prompts, return_tensors="pt").input_ids
    with torch.no_grad():
        said: list[str] = tokenizer.batch_decode(model(ids).logits[:, -1:].argmax(-1))
    return said


def main() -> None:
    """Train, ask, explain the answers, and check which words they come from."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a few seconds, with shorter stories")
    small = parser.parse_args().small
    torch.manual_seed(0)
    people, tokenizer = 2 if small else 3, word_tokenizer()
    model = trained(tokenizer, people, steps=150 if small else 400)
    draw = random.Random(1)
    stories = [story(draw, people) for _ in range(100)]
    said = answers(model, tokenizer, [prompt for prompt, _, _ in stories])
    right = [one for one, word in zip(stories, said, strict=True) if one[1] == word.strip()]
    print(f"Of 100 new stories {len(right)} are answered right.")

    usual = [story(draw, people)[0] for _ in range(200)]
    iba = input_iba.InputIBA(model, tokenizer=tokenizer).fit(usual)
    shown = right[: 4 if small else 8]
    found = iba.attribute([prompt for prompt, _, _ in shown], GenerationTarget(max_tokens=1))
    shares, decisive = [], 0.0
    for record, (prompt, _, places) in zip(found, shown, strict=True):
        # The answer is said at the question mark, which is hot for that reason alone.
        values = [value for _, value in record.words[:-1]]
        shares.append(sum(values[place] for place in places) / sum(values))
        decisive = len(places) / len(values)
        print(f"  {prompt}  {max(record.words[:-1], key=lambda word: word[1])[0]}")
    share = sum(shares) / len(shares)
    print(f"{share:.0%} of the map lies on the words that decide, {decisive:.0%} of all.")
    found[0].save("small_language_model.png")
    found.to_html("small_language_model.html")
    print("Written: small_language_model.png, small_language_model.html")
    if share < 2 * decisive:
        raise SystemExit("The maps are not on the words that decide.")


if __name__ == "__main__":
    main()
