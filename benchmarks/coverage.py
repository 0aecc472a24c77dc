"""How well coverage is read from prompts and tags, and how well leading questions are found.

    python -m benchmarks.coverage

Coverage: on calls of the sample's test candidates, the states of categories and codes from the tagger beside those from
the gold codes, through the same function. Leading questions: precision and recall on two sets of labelled questions,
and the share of leading questions of each interviewer as found and as labelled. Texts and labels were written by
language models.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.sample import Sample, load
from declinethemes.framework import load_framework
from declinethemes.passages import prompt_turns
from declinethemes.prepare import coverage
from declinethemes.prepare.leading import find_questions
from declinethemes.tag import Tagger

LABELLED = Path(__file__).resolve().parents[1] / "tests"
WRITTEN, SAMPLED = LABELLED / "leading_questions.csv", LABELLED / "leading_in_sample.csv"


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One labelled question: whose it is, the label, and whether a lead was found in it."""

    part: str
    interviewer: str
    leading: bool
    found: bool


def written() -> list[Hit]:
    """Return the questions that were written for the purpose."""
    with WRITTEN.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [
        Hit(
            part=row["part"],
            interviewer="",
            leading=row["leading"] == "yes",
            found=any(asked.kind for asked in find_questions(row["question"])),
        )
        for row in rows
    ]


def sampled(turns: pd.DataFrame) -> Iterator[Hit]:
    """Yield the questions drawn at random from the sample's calls, read with what was said before."""
    labels = pd.read_csv(SAMPLED, dtype={"turn_no": "int64"})
    for document, rows in labels.groupby("document_id"):
        part, said = turns[turns["document_id"] == document], ""
        for turn_no, role, speaker, text in zip(
            part["turn_no"], part["speaker_role"].fillna(""), part["speaker"], part["text"], strict=True
        ):
            if role == "candidate":
                said = f"{said} {text}"
                continue
            found = [(plain(asked.text).lower(), asked.kind) for asked in find_questions(text, said)]
            for row in rows[rows["turn_no"] == turn_no].to_dict("records"):
                lead = any(kind for question, kind in found if row["question"].lower() in question)
                yield Hit(part=row["part"], interviewer=speaker, leading=row["leading"] == "yes", found=lead)


def plain(text: str) -> str:
    """Return the text with every pseudonym as ``[person]``: they differ from key to key."""
    return pd.Series([text]).str.replace(r"\[person-[0-9a-f]+\]", "[person]", regex=True)[0]


def scores(hits: list[Hit], part: str) -> dict[str, float]:
    """Return n, leading, precision and recall of one part."""
    mine = [hit for hit in hits if hit.part == part]
    both = sum(hit.leading and hit.found for hit in mine)
    found, leading = sum(hit.found for hit in mine), sum(hit.leading for hit in mine)
    return {"n": len(mine), "leading": leading, "precision": both / found, "recall": both / leading}


def by_interviewer(hits: list[Hit], part: str) -> pd.DataFrame:
    """Return per interviewer the share of leading questions, as labelled and as found."""
    frame = pd.DataFrame([vars(hit) for hit in hits if hit.part == part])
    return frame.groupby("interviewer").agg(n=("found", "size"), labelled=("leading", "mean"), found=("found", "mean"))


def states(sample: Sample) -> pd.DataFrame:
    """Return one row per test call and item with its state from the gold codes and from the tagger."""
    splits = pd.read_csv(sample.folder / "splits.csv").set_index("candidate_id")["split"]
    documents = sample.corpus.documents
    documents = documents[(documents["candidate_id"].map(splits) == "test") & (documents["kind"] == "call")]
    turns, passages = (
        frame[frame["document_id"].isin(documents["document_id"])].reset_index(drop=True)
        for frame in (sample.corpus.turns, sample.corpus.passages)
    )
    asking = prompt_turns(turns)
    tagger, framework = Tagger.load(), load_framework()
    hits = tagger.asks(asking["text"].tolist())
    asked = [[code for code, hit in zip(tagger.codes_, row, strict=True) if hit] for row in hits]
    gold_tags = sample.gold.tags[sample.gold.tags["passage_id"].isin(passages["passage_id"])]
    out = []
    ours = tagger.tag(passages)
    for codes, tags, doubtful in (
        (gold_codes(sample, asking), gold_tags, gold_tags),
        (asked, tagger.counted(ours), ours),
    ):
        prompts = asking[["document_id", "turn_no"]].assign(codes=pd.Series(codes, index=asking.index, dtype=object))
        options = {"framework": framework, "prompts": prompts, "doubtful": doubtful}
        out.append(coverage(documents, turns, passages, tags, **options).items)
    return out[0].merge(out[1], on=["document_id", "item", "kind"], suffixes=("_gold", "_tagger"))


def gold_codes(sample: Sample, asking: pd.DataFrame) -> list[list[str]]:
    """Return the gold codes of the questions in each turn that asks."""
    redact, by_document = sample.corpus.redact, sample.gold.questions.groupby("document_id")
    questions = {
        document: [(redact(text), codes) for text, codes in zip(part["text"], part["codes"], strict=True)]
        for document, part in by_document
    }
    return [
        [code for quote, codes in questions.get(document, []) if quote in text for code in codes]
        for document, text in zip(asking["document_id"], asking["text"], strict=True)
    ]


def agreement(rows: pd.DataFrame) -> pd.DataFrame:
    """Return per kind and state: how many by gold, by the tagger, and precision and recall of the tagger's."""
    out = []
    for kind, part in rows.groupby("kind"):
        for state in sorted(set(rows["state_gold"]) | set(rows["state_tagger"])):
            gold, ours = part["state_gold"] == state, part["state_tagger"] == state
            both = int((gold & ours).sum())
            right = {"precision": both / max(ours.sum(), 1), "recall": both / max(gold.sum(), 1)}
            out.append({"kind": kind, "state": state, "gold": int(gold.sum()), "tagger": int(ours.sum()), **right})
    return pd.DataFrame(out)


def main() -> None:
    sample = load()
    rows = states(sample)
    print(f"coverage, {rows['document_id'].nunique()} calls of test candidates")
    print(agreement(rows).round(2).to_string(index=False))
    sets = {"written for the purpose": written(), "drawn from the sample": list(sampled(sample.corpus.turns))}
    for title, hits in sets.items():
        table = pd.DataFrame({part: scores(hits, part) for part in ("tuning", "held out")}).T
        print(f"\nleading questions, {title}\n{table.round(2).to_string()}")
    print(
        f"\nby interviewer, held out\n{by_interviewer(sets['drawn from the sample'], 'held out').round(2).to_string()}"
    )


if __name__ == "__main__":
    main()
