"""Tune all-MiniLM-L6-v2 on coded passages about hiring, and ship it in int8.

    python -m models.hiring.tune

In: the rows of corpora/training/passages.csv whose split is "encoder". Out, beside this file: ``model_int8.onnx``,
``tokenizer.json``, ``encoder.json``. Passage and prompt go through the network apart; a linear head over both vectors
and their product learns codes, categories and stances together (binary and multinomial cross-entropy, in bfloat16; an
empty stance teaches nothing), and is thrown away afterwards: `themes train` fits its own. The sample study is never
seen here, so tags of its candidates stay honest.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from models.encoder.build import WIDTH, read_source, write
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

HERE = Path(__file__).resolve().parent
PASSAGES = HERE.parents[1] / "corpora" / "training" / "passages.csv"
STANCES = ("positive", "negative", "mixed", "neutral")
EPOCHS, BATCH, RATE, HEAD_RATE, WARMUP = 3, 32, 1e-4, 2e-3, 60
DROP, NO_PROMPT, SCALE, MAX_TOKENS = 0.15, 0.1, 6.0, 128


@dataclass
class Item:
    """A coded passage."""

    prompt: str
    text: str
    codes: dict[str, str] = field(default_factory=dict)


def read() -> list[Item]:
    """Return the passages to tune on, each with its codes and stances."""
    items: dict[tuple[str, str, str], Item] = {}
    with PASSAGES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "encoder":
                key = row["voice"], row["prompt"], row["text"]
                item = items.setdefault(key, Item(row["prompt"], row["text"]))
                if row["code"]:
                    item.codes[row["code"]] = row["stance"]  # empty: nobody can tell who "we" is
    return list(items.values())


class Tuned(torch.nn.Module):
    """The encoder with a linear head over passage, prompt and their product."""

    def __init__(self, source: Path, codes: list[str]) -> None:
        super().__init__()
        self.codes = codes
        self.categories = sorted({code.split(".")[0] for code in codes})
        self.tokenizer = AutoTokenizer.from_pretrained(str(source))
        self.encoder = AutoModel.from_pretrained(str(source), attn_implementation="sdpa")
        self.drop = torch.nn.Dropout(DROP)
        self.head = torch.nn.Linear(3 * WIDTH + 1, len(codes) + len(self.categories))
        self.stance = torch.nn.Linear(3 * WIDTH + 1, len(codes) * len(STANCES))
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.constant_(self.head.bias, -3)

    def vectors(self, texts: list[str]) -> torch.Tensor:
        """Return unit vectors (n_texts, n_dimensions), zero for an empty text."""
        there = [i for i, text in enumerate(texts) if text.strip()]
        out = torch.zeros(len(texts), WIDTH)
        if not there:
            return out
        given = self.tokenizer(
            [texts[i] for i in there], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        hidden = self.encoder(**given).last_hidden_state
        mask = given["attention_mask"].unsqueeze(-1).float()
        return out.index_copy(0, torch.tensor(there), functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1))

    def forward(self, prompts: list[str], texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores of codes and categories, and of the stance of every code."""
        passage = self.vectors(texts)
        different = sorted(set(prompts))
        prompt = self.vectors(different)[[different.index(p) for p in prompts]]
        there = (prompt.abs().sum(1, keepdim=True) > 0).float()
        joined = torch.cat([SCALE * passage, SCALE * prompt, SCALE * WIDTH**0.5 * passage * prompt, there], dim=1)
        joined = self.drop(joined)
        return self.head(joined), self.stance(joined).view(len(texts), len(self.codes), len(STANCES))


def targets(model: Tuned, items: list[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return codes and categories as 0 and 1, and the stance of every code as its number or -1."""
    labels = np.zeros((len(items), len(model.codes) + len(model.categories)), np.float32)
    stances = np.full((len(items), len(model.codes)), -1)
    for i, item in enumerate(items):
        for code, stance in item.codes.items():
            labels[i, model.codes.index(code)] = 1
            labels[i, len(model.codes) + model.categories.index(code.split(".")[0])] = 1
            if stance:
                stances[i, model.codes.index(code)] = STANCES.index(stance)
    return torch.tensor(labels), torch.tensor(stances)


def batches(items: list[Item]) -> list[list[int]]:
    """Deal items into batches of like length, in random order."""
    order = list(range(len(items)))
    random.shuffle(order)
    out = []
    for start in range(0, len(order), 20 * BATCH):
        near = sorted(order[start : start + 20 * BATCH], key=lambda i: len(items[i].text))
        out += [near[k : k + BATCH] for k in range(0, len(near), BATCH)]
    random.shuffle(out)
    return out


def optimizer(model: Tuned, steps: int) -> tuple[Any, Any]:
    """Return AdamW with a slow encoder and a quick head, and its schedule (warm-up, then down to nearly 0)."""
    body: defaultdict[bool, list[torch.nn.Parameter]] = defaultdict(list)
    for name, parameter in model.encoder.named_parameters():
        if "embeddings" in name:  # stays as it is: words that were not met here keep their place
            parameter.requires_grad_(requires_grad=False)
        else:
            body[parameter.ndim > 1].append(parameter)
    chosen = torch.optim.AdamW(
        [
            {"params": body[True], "lr": RATE, "weight_decay": 0.01},
            {"params": body[False], "lr": RATE, "weight_decay": 0.0},
            {"params": [*model.head.parameters(), *model.stance.parameters()], "lr": HEAD_RATE},
        ]
    )
    return chosen, torch.optim.lr_scheduler.LambdaLR(
        chosen, lambda step: min(1.0, (step + 1) / WARMUP) * max(0.02, 1 - step / steps)
    )


def main() -> None:
    torch.manual_seed(0)
    random.seed(0)
    items = read()
    codes = sorted({code for item in items for code in item.codes})
    source, _ = read_source()
    model = Tuned(source, codes)
    labels, stances = targets(model, items)
    steps = EPOCHS * len(batches(items))
    chosen, schedule = optimizer(model, steps)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for number, batch in enumerate(batches(items)):
            long = [len(items[i].text.split()) > 8 and random.random() < NO_PROMPT for i in batch]
            prompts = ["" if drop else items[i].prompt for drop, i in zip(long, batch, strict=True)]
            with torch.autocast("cpu", dtype=torch.bfloat16):  # twice as fast where the processor knows it
                scores, stance = (out.float() for out in model(prompts, [items[i].text for i in batch]))
            loss = functional.binary_cross_entropy_with_logits(scores, labels[batch], reduction="none").sum(1).mean()
            known = stances[batch] >= 0
            if known.any():
                loss = loss + 0.5 * functional.cross_entropy(stance[known], stances[batch][known])
            chosen.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            chosen.step()
            schedule.step()
            total += loss.item()
            if number % 50 == 0:
                print(f"epoch {epoch + 1}, batch {number}, mean loss {total / (number + 1):.3f}", flush=True)
    weights = {name: value.detach().numpy() for name, value in model.encoder.state_dict().items()}
    write(
        weights,
        source,
        HERE,
        id="hiring-int8-2",
        tuned_on=f"{len(items)} passages of corpora/training/passages.csv",
        epochs=EPOCHS,
    )


if __name__ == "__main__":
    main()
