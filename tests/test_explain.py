"""Why a text has a tag: the phrases that carried it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declinethemes.errors import InputError
from declinethemes.tag import Tagger
from declinethemes.tag.explain import carried, explain, phrases

TEXT = "The office was lovely and the coffee was fine, but the salary was far too low for me."
PAY = "competitiveness.offer"


@pytest.fixture(scope="module")
def tagger():
    return Tagger.load()


@given(st.text())
def test_phrases_lie_in_the_text_in_order_and_lose_nothing_but_space(text):
    found = phrases(text)
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())
    assert all(a < b for a, b in found)
    assert all(b <= c for (_, b), (c, _) in pairwise(found))


def test_phrases_end_at_punctuation_and_before_conjunctions():
    assert [TEXT[a:b] for a, b in phrases(TEXT)] == [
        "The office was lovely",
        "and the coffee was fine,",
        "but the salary was far",
        "too low for me.",
    ]


def test_the_phrase_that_says_it_loses_most(tagger):
    frame = explain(tagger, [TEXT], [PAY])
    assert list(frame.columns) == ["text_no", "code", "start_char", "end_char", "phrase", "probability", "drop"]
    assert "salary" in frame["phrase"].iloc[0]
    assert frame["drop"].is_monotonic_decreasing
    assert all(TEXT[a:b] == p for a, b, p in zip(frame["start_char"], frame["end_char"], frame["phrase"], strict=True))
    assert carried(tagger, [TEXT], [PAY]) == [frame["phrase"].iloc[0]]


def test_the_drop_is_the_probability_lost_without_the_phrase(tagger):
    top = explain(tagger, [TEXT], [PAY]).iloc[0]
    column = tagger.codes_.index(PAY)
    without = TEXT.replace(top["phrase"], "").strip()
    whole, left = tagger.predict_proba([TEXT, without])[:, column]
    assert top["probability"] == pytest.approx(whole)
    assert top["drop"] == pytest.approx(whole - left, abs=0.02)


def test_the_question_stays(tagger):
    code, asked = "competitiveness.timeliness", "How long did the whole process take?"
    frame = explain(tagger, ["Six weeks, maybe seven."], [code], [asked])
    column = tagger.codes_.index(code)
    whole = tagger.predict_proba(["Six weeks, maybe seven."], [asked])[0, column]
    assert frame["probability"].iloc[0] == pytest.approx(whole)


def test_nothing_to_leave_out(tagger):
    assert explain(tagger, [], []).empty
    assert carried(tagger, ["", "  "], [PAY, PAY]) == ["", ""]


def test_a_code_that_the_tagger_lacks(tagger):
    with pytest.raises(InputError, match=r"no code pay\.base; it has: context"):
        explain(tagger, [TEXT], ["pay.base"])


def test_one_code_per_text(tagger):
    with pytest.raises(InputError, match="1 texts, 2 codes and 1 prompts"):
        explain(tagger, [TEXT], [PAY, PAY])
