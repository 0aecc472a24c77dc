"""Mentions: one row per candidate and item, whatever they repeat, with stance and what they were asked."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declinethemes import schema
from declinethemes.mentions import count_mentions

CODES = ("competitiveness.offer", "competitiveness.timeliness", "experience.people")


def passages(*owners: str) -> pd.DataFrame:
    frame = pd.DataFrame({"candidate_id": list(owners)})
    frame = frame.assign(passage_id=[f"p{i}" for i in range(len(owners))], document_id=frame["candidate_id"])
    return schema.conform(frame.assign(turn_no=0, start_char=0, end_char=4, text="text", prompt=None), "passages")


def tags(*rows: tuple[str, str, str | None, str] | tuple[str, str, str | None]) -> pd.DataFrame:
    """(passage, code, stance[, decision])."""
    if not rows:
        return schema.empty("tags")
    frame = pd.DataFrame([(*row, "yes")[:4] for row in rows], columns=["passage_id", "code", "stance", "decision"])
    category = frame["code"].str.split(".").str[0]
    return schema.conform(frame.assign(decided_by="model", category=category, probability=0.9, model_id="m"), "tags")


def themes(**code_of: str | None) -> pd.DataFrame:
    rows = [
        {"theme_id": t, "code": c, "kind": "known", "label": t, "terms": [], "n_passages": 1, "n_candidates": 1}
        for t, c in code_of.items()
    ]
    frame = pd.DataFrame(rows).assign(stability=None, exemplars=[[] for _ in rows], status="standing")
    return schema.conform(frame, "themes")


def assignments(*rows: tuple[str, str]) -> pd.DataFrame:
    return schema.conform(pd.DataFrame(rows, columns=["passage_id", "theme_id"]).assign(strength=1.0), "assignments")


NO_THEMES, NO_ASSIGNMENTS = schema.empty("themes"), schema.empty("assignments")


def of(mentions: pd.DataFrame, candidate: str, item: str) -> pd.Series:
    found = mentions[(mentions["candidate_id"] == candidate) & (mentions["item"] == item)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_candidate_counts_once_and_the_passages_are_counted():
    out = count_mentions(
        passages("a", "a", "b"),
        tags(("p0", CODES[0], "negative"), ("p1", CODES[0], "negative")),
        NO_THEMES,
        NO_ASSIGNMENTS,
        {},
    )
    assert of(out, "a", CODES[0])["n_passages"] == 2
    assert out["candidate_id"].unique().tolist() == ["a"]


def test_a_category_counts_a_passage_with_two_of_its_codes_once():
    out = count_mentions(
        passages("a"), tags(("p0", CODES[0], "negative"), ("p0", CODES[1], "neutral")), NO_THEMES, NO_ASSIGNMENTS, {}
    )
    row = of(out, "a", "competitiveness")
    assert (row["n_passages"], row["kind"]) == (1, "category")


@pytest.mark.parametrize("decision", ["no", "unsure"])
def test_only_yes_counts(decision):
    out = count_mentions(passages("a"), tags(("p0", CODES[0], "negative", decision)), NO_THEMES, NO_ASSIGNMENTS, {})
    assert out.empty


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        (["negative", "neutral"], "negative"),
        (["positive", "neutral"], "positive"),
        (["negative", "positive"], "mixed"),
        (["mixed", "neutral"], "mixed"),
        (["neutral", None], "neutral"),
        ([None, None], "neutral"),
    ],
)
def test_the_stance_of_a_candidate_is_that_of_the_passages_together(stances, expected):
    found = tags(*[(f"p{i}", CODES[0], stance) for i, stance in enumerate(stances)])
    out = count_mentions(passages("a", "a"), found, NO_THEMES, NO_ASSIGNMENTS, {})
    assert of(out, "a", CODES[0])["stance"] == expected
    assert of(out, "a", "competitiveness")["stance"] == expected


def test_a_theme_takes_the_stance_of_its_own_code():
    out = count_mentions(
        passages("a"),
        tags(("p0", CODES[0], "negative"), ("p0", CODES[2], "positive")),
        themes(pay=CODES[0]),
        assignments(("p0", "pay")),
        {},
    )
    row = of(out, "a", "pay")
    assert (row["kind"], row["stance"], row["n_passages"]) == ("theme", "negative", 1)


def test_a_theme_without_a_code_is_counted_and_neutral():
    out = count_mentions(passages("a"), tags(), themes(**{"emergent-1": None}), assignments(("p0", "emergent-1")), {})
    assert of(out, "a", "emergent-1")["stance"] == "neutral"


def test_being_asked_marks_the_code_its_category_and_its_themes():
    out = count_mentions(
        passages("a", "b"),
        tags(("p0", CODES[0], "negative")),
        themes(pay=CODES[0]),
        assignments(("p0", "pay")),
        {"b": {CODES[0]}},
    )
    for item, kind in ((CODES[0], "code"), ("competitiveness", "category"), ("pay", "theme")):
        asked, volunteered = of(out, "b", item), of(out, "a", item)
        assert (asked["n_passages"], asked["asked"], asked["kind"]) == (0, True, kind)
        assert pd.isna(asked["stance"])
        assert not volunteered["asked"]


def test_who_was_asked_and_spoke_is_one_row():
    out = count_mentions(
        passages("a"), tags(("p0", CODES[0], "negative")), NO_THEMES, NO_ASSIGNMENTS, {"a": {CODES[0]}}
    )
    row = of(out, "a", CODES[0])
    assert (row["n_passages"], row["asked"], row["stance"]) == (1, True, "negative")


def test_who_was_asked_but_never_heard_does_not_count():
    assert count_mentions(passages("a"), tags(), NO_THEMES, NO_ASSIGNMENTS, {"z": {CODES[0]}}).empty


def test_nothing_at_all_gives_the_empty_table():
    out = count_mentions(schema.empty("passages"), tags(), NO_THEMES, NO_ASSIGNMENTS, {})
    pd.testing.assert_frame_equal(out, schema.empty("mentions"))


STANCE = st.sampled_from(["positive", "negative", "mixed", "neutral", None])
ROW = st.tuples(st.integers(0, 7), st.sampled_from(CODES), STANCE)


@settings(deadline=None)
@given(st.lists(ROW, max_size=20, unique_by=lambda row: row[:2]), st.randoms())
def test_counts_agree_with_a_loop_over_candidates_and_the_order_does_not_matter(rows, random):
    owned = passages(*"aabbccdd")
    whose = dict(zip(owned["passage_id"], owned["candidate_id"], strict=True))
    given_tags = [(f"p{i}", code, stance) for i, code, stance in rows]
    out = count_mentions(owned, tags(*given_tags), NO_THEMES, NO_ASSIGNMENTS, {})
    for candidate in "abcd":
        for item in (*CODES, "competitiveness", "experience"):
            mine = {
                p
                for p, code, _ in given_tags
                if whose[p] == candidate and (code == item or code.startswith(f"{item}."))
            }
            row = out[(out["candidate_id"] == candidate) & (out["item"] == item)]
            assert row["n_passages"].sum() == len(mine)
            assert len(row) == bool(mine)
    random.shuffle(given_tags)
    pd.testing.assert_frame_equal(count_mentions(owned, tags(*given_tags), NO_THEMES, NO_ASSIGNMENTS, {}), out)
