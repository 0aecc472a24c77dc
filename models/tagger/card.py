"""Write the model card of the shipped tagger from figures measured now.

    python -m models.tagger.card

In: the tagger, and the sample's test candidates, which nothing was fitted on. Out: README.md beside this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from declinethemes._resources import resource
from declinethemes.config import prepare_segments, read_settings
from declinethemes.corpus import read_corpus
from declinethemes.tag import Tagger
from declinethemes.tag.evaluate import categories, f1, macro_f1, recall_by
from declinethemes.tag.train import label_matrix
from declinethemes.training import KEY, Coded, measure, read_coded

HERE = Path(__file__).resolve().parent
SEGMENTS = ("underrepresented", "gender", "ethnicity", "age_band", "disability")
TEXT = """# Tagger: model card

One logistic regression per code over the vectors of a passage and of its prompt, their product, and the words of both
(TF-IDF of words and pairs of words); Platt scaling and cuts on out-of-fold scores by candidate or voice; a
multinomial regression for stance; the same again for what interviewers' questions ask about. The vectors come from
`{encoder}` ([its card](../hiring/README.md)). `arrays.safetensors` holds the arrays, `tagger.json` cuts, counts,
recall and hashes. Passages of documents it was trained on are tagged by models that did not see their candidate.
Rebuild: `make models`.

**Data.** {n_passages} passages of {n_candidates} candidates or voices: the training and calibration candidates (96 of
128) of `corpora/sample`, and `corpora/training/passages.csv`. Cuts and calibration use only passages that the encoder
was not tuned on. Texts and codes were written by language models about invented people, not by human coders. Encoders
tried, with their out-of-fold log loss per passage: {losses}.

**Figures** on the sample's 32 test candidates, {n_test} passages, never used for training, cuts or the encoder
(`themes evaluate corpora/sample --split test`; "yes" from the pooled cut of best F1 on, "unsure" from 60 % of that):

{overall}

Against other ways, on real text, on few examples, and for speed: `python -m benchmarks.tagger`, figures in
[docs/tagger.md](../../docs/tagger.md).

{table}

`taken_for` is the code that passages with this one got most often instead of it. A category is any of its codes.

**By kind of document** (same candidates)

{kinds}

**Recall by segment** (same candidates; pairs of a passage and a code that it has; Newcombe's 95 % interval, which
takes pairs as independent, so it is too narrow; unknown under 10 pairs). A difference here bends every comparison of
the two groups.

{segments}

**Limits.** It knows English, calls, notes and posts about hiring. Irony, reported speech, hints, and codes that lie
close together (why a job won, and what was good about it) are where it errs most. Use its tags as leads, and have
people review a sample. It was written and measured on text by language models; on real text expect less
([docs/tagger.md](../../docs/tagger.md)).
"""


def main() -> None:
    tagger = Tagger.load()
    coded = read_coded(resource("corpora/sample"), splits=("test",))
    table, figures = measure(tagger, coded)
    card = tagger.card_
    text = TEXT.format(
        encoder=card["encoder"],
        n_passages=f"{card['n_passages']:,}",
        n_candidates=f"{card['n_candidates']:,}",
        losses=", ".join(f"{name} {loss}" for name, loss in card["log_loss"].items()),
        n_test=f"{len(coded.passages):,}",
        overall="\n".join(f"- {name.replace('_', ' ')}: {value:.3f}" for name, value in figures.items()),
        table=_markdown(table),
        kinds=_markdown(by_kind(tagger, coded)),
        segments=_markdown(by_segment(tagger, coded)),
    )
    (HERE / "README.md").write_text(text, encoding="utf-8")


def by_kind(tagger: Tagger, coded: Coded) -> pd.DataFrame:
    """Return F1 per kind of document."""
    folder = resource("corpora/sample")
    documents = read_corpus(folder / "documents", candidates=folder / "candidates.csv", key=KEY).documents
    kinds = coded.passages["document_id"].map(documents.set_index("document_id")["kind"])
    truth, found = _labels(tagger, coded)
    rows = []
    for kind in sorted(kinds.unique()):
        t, p = truth[(kinds == kind).to_numpy()], found[(kinds == kind).to_numpy()]
        wide, wide_found = categories(t, tagger.codes_)[0], categories(p, tagger.codes_)[0]
        rows.append(
            {
                "kind": kind,
                "passages": len(t),
                "category_micro_f1": f1(wide, wide_found),
                "category_macro_f1": macro_f1(wide, wide_found),
                "code_micro_f1": f1(t, p),
            }
        )
    return pd.DataFrame(rows)


def by_segment(tagger: Tagger, coded: Coded) -> pd.DataFrame:
    """Return the recall per level of each segment beside the others'."""
    folder = resource("corpora/sample")
    people = pd.read_csv(folder / "candidates.csv", dtype="string")
    people = prepare_segments(people, read_settings(folder / "study.toml")).set_index("candidate_id")
    truth, found = _labels(tagger, coded)
    frames = []
    for name in SEGMENTS:
        levels = coded.passages["candidate_id"].map(people[name])
        groups = [None if pd.isna(level) else str(level) for level in levels]
        frames.append(recall_by(truth, found, groups).assign(segment=name))
    frame = pd.concat(frames, ignore_index=True)
    return frame[["segment", *[column for column in frame.columns if column != "segment"]]]


def _labels(tagger: Tagger, coded: Coded) -> tuple[np.ndarray, np.ndarray]:
    passages = coded.passages
    prompts = [None if pd.isna(prompt) else str(prompt) for prompt in passages["prompt"]]
    return label_matrix(passages, coded.tags, list(tagger.codes_)), tagger.predict(passages["text"].tolist(), prompts)


def _markdown(frame: pd.DataFrame) -> str:
    """Return a table in Markdown, numbers with three digits, what is unknown empty."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * len(frame.columns)]
    for row in frame.itertuples(index=False):
        cells = ["" if pd.isna(c) else f"{c:.3f}" if isinstance(c, float) else str(c) for c in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
