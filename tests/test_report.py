"""The report shows what may be shown, all of it, and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report_fixture import SETTINGS, arguments, nothing

from declinethemes.disclosure import protect, scrub_quote
from declinethemes.report import render_html, shown_label, summarise
from declinethemes.report.comparisons import response_rates
from declinethemes.report.html import marked, p_value, percent, points
from declinethemes.schema import TABLES

SECTIONS = ("found", "reading", "segments", "themes", "asked", "quality", "method")
NUMBERS = [name for name, column in TABLES["findings"].columns.items() if column.kind in ("int", "share", "number")]


@pytest.fixture(scope="module")
def given_arguments():
    return arguments()


@pytest.fixture(scope="module")
def summary(given_arguments):
    return summarise(**given_arguments)


@pytest.fixture(scope="module")
def page(summary):
    return render_html(summary)


class Outline(HTMLParser):
    """Collects open tags, their attributes, and what was closed wrongly."""

    VOID = frozenset({"meta", "link", "br", "rect", "line", "circle"})

    def __init__(self):
        super().__init__()
        self.stack, self.tags, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(tag)


def outline(text):
    parsed = Outline()
    parsed.feed(text)
    return parsed


def test_summary_is_plain_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_inputs_are_not_changed(given_arguments):
    before = {name: value.copy() for name, value in given_arguments.items() if isinstance(value, pd.DataFrame)}
    summarise(**given_arguments)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, given_arguments[name])


def test_row_order_does_not_matter(given_arguments, summary):
    shuffled = {
        name: value.sample(frac=1, random_state=1).reset_index(drop=True)
        for name, value in given_arguments.items()
        if isinstance(value, pd.DataFrame) and name != "documents"
    }
    assert summarise(**{**given_arguments, **shuffled}) == summary


def test_counts_equal_the_tables(given_arguments, summary):
    findings, counts = given_arguments["findings"], summary["counts"]
    tested = findings[findings["verdict"] != "not tested"]
    levels = tested[tested["level"] != "not disclosed"].groupby("segment")["level"].transform("nunique")
    mirrored = tested[(levels == 2).reindex(tested.index, fill_value=False)]
    once = tested.drop(mirrored.index[mirrored.duplicated(["segment", "item"])])  # the other level says the same
    assert counts["verdicts"] == once["verdict"].value_counts().to_dict()
    assert counts["candidates_heard"] == given_arguments["passages"]["candidate_id"].nunique()
    assert (counts["documents_read"], counts["documents_skipped"]) == (121, 1)


def test_all_sections_are_there_in_order(page):
    places = [page.index(f'<section id="{name}"') for name in SECTIONS]
    assert places == sorted(places)


def test_page_is_well_formed_and_tables_are_labelled(page):
    parsed = outline(page)
    assert parsed.wrong == []
    assert parsed.stack == []
    assert page.count("<table") == page.count("<caption>") > 0
    assert all("scope" in attrs for tag, attrs in parsed.tags if tag == "th")
    assert all("aria-label" in attrs or "aria-hidden" in attrs for tag, attrs in parsed.tags if tag == "svg")


def test_headings_skip_no_level(page):
    levels = [int(tag[1]) for tag, _ in outline(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_page_asks_for_nothing_from_outside(page):
    parsed = outline(page)
    targets = [
        value for _, attrs in parsed.tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")
    ]
    assert all(target.startswith("#") for target in targets)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in parsed.tags}
    assert "http" not in page
    assert "url(" not in page
    assert "@import" not in page


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 1))
def test_protected_numbers_never_occur(seed, share):
    """Whatever a hidden row still holds, none of it reaches the summary or the page."""
    made = arguments_once()
    findings = made["findings"].copy()
    rng = np.random.default_rng(seed)
    hidden = rng.random(len(findings)) < share
    for place, name in enumerate(NUMBERS):
        secret = (70_000_000 + 1_000_000 * place + np.arange(len(findings))).astype(float)
        findings[name] = findings[name].astype("Float64").mask(hidden, pd.Series(secret, dtype="Float64"))
    findings["note"] = findings["note"].mask(hidden, "secret note")
    findings["verdict"] = findings["verdict"].mask(hidden & (rng.random(len(findings)) < 0.5), "protected")
    findings["suppressed"] = pd.array(hidden, dtype="boolean")
    summary = summarise(**{**made, "findings": findings})
    for text in (json.dumps(summary), render_html(summary)):
        plain = text.replace("\u202f", "").replace(",", "")
        assert not re.search(r"\b7\d{7}", plain)
        assert "secret note" not in text


_KEPT: dict = {}


def arguments_once():
    if not _KEPT:
        _KEPT.update(arguments())
    return _KEPT


def test_everything_protected_shows_only_the_word(given_arguments):
    findings = given_arguments["findings"].assign(verdict="protected", suppressed=True)
    summary = summarise(**{**given_arguments, "findings": findings})
    assert summary["found"]["headlines"] == []
    assert all(
        cell == {"verdict": "protected"}
        for table in summary["segments"]
        for row in table["rows"]
        for cell in row["cells"]
    )
    assert "Every comparison is protected" in render_html(summary)


def test_differences_come_first_for_the_underrepresented_then_by_size(summary):
    heads = summary["found"]["headlines"]
    sizes = {True: [], False: []}
    for head in heads:
        sizes[head["segment"] == "underrepresented"].append(abs(head["difference"]))
    flags = [head["segment"] != "underrepresented" for head in heads]
    assert flags == sorted(flags)
    assert sizes[True]
    assert all(part == sorted(part, reverse=True) for part in sizes.values())


def test_a_segment_of_two_levels_is_told_once(summary):
    heads = [head for head in summary["found"]["headlines"] if head["segment"] == "underrepresented"]
    assert {head["level"] for head in heads} == {"yes"}


def test_each_headline_says_that_it_is_unaudited(summary, page):
    assert all(head["audit_text"].startswith("Unaudited") for head in summary["found"]["headlines"])
    assert page.count("Unaudited:") == len(summary["found"]["headlines"])


def test_unequal_questions_are_flagged(summary):
    flagged = [head for head in summary["found"]["headlines"] if head["item"] == "unprepared_interviewer"]
    assert flagged
    assert all("Asked about it" in head["asked_text"] for head in flagged)


def test_smallest_gap_is_the_smallest_mde_of_the_undecided(given_arguments, summary):
    findings = given_arguments["findings"]
    for entry in summary["found"]["not_enough"]:
        if entry["segment"] != "ethnicity":
            continue
        undecided = findings[(findings["segment"] == "ethnicity") & (findings["verdict"] == "not enough data")]
        assert entry["n"] == len(undecided)
        assert entry["smallest_gap"] == round(100 * undecided["mde"].min())


def test_p_values_stand_only_beside_n_effect_and_verdict(page):
    heads = re.findall(r"<thead>(.*?)</thead>", page, flags=re.S)
    with_p = [head for head in heads if ">p</th>" in head]
    assert with_p
    assert all(word in head for head in with_p for word in ("Group", "Others", "Difference", "BH", "WY", "Verdict"))
    assert "p =" not in page


def test_sensitive_themes_are_not_quoted(given_arguments, summary):
    for theme in summary["themes"]:
        if theme["theme_id"] in given_arguments["sensitive"]:
            assert theme["quotes"] == []
            assert theme["quotes_note"].startswith("Quotes withheld")
    assert any(theme["sensitive"] for theme in summary["themes"])


def test_passage_with_a_sensitive_tag_is_not_quoted_anywhere(given_arguments):
    themes = given_arguments["themes"].set_index("theme_id")
    passage = themes.loc["ghosting", "exemplars"][0]
    text = "My illness came up and then nobody wrote to me again."
    passages = given_arguments["passages"].copy()
    passages.loc[passages["passage_id"] == passage, "text"] = text
    quoted = render_html(summarise(**{**given_arguments, "passages": passages}))
    assert text in quoted
    first = (
        given_arguments["tags"]
        .iloc[[0]]
        .assign(passage_id=passage, code="diversity.comfort", category="diversity", decision="unsure")
    )
    tags = pd.concat([given_arguments["tags"], first], ignore_index=True)
    assert text not in render_html(summarise(**{**given_arguments, "passages": passages, "tags": tags}))


def test_quotes_are_scrubbed_and_stand_without_a_group(summary, given_arguments):
    quotes = [quote for theme in summary["themes"] for quote in theme["quotes"]]
    assert any("[company]" in quote and "[amount]" in quote for quote in quotes)
    assert not any(re.search(r"\d|Acme", quote) for quote in quotes)
    assert all(len(set(theme["quotes"])) == len(theme["quotes"]) <= 3 for theme in summary["themes"])
    ids = given_arguments["candidates"]["candidate_id"]
    assert not any(name in json.dumps(summary["themes"]) for name in ids)


def test_the_phrase_that_carried_the_code_is_marked(summary, page):
    marks = [phrase for theme in summary["themes"] for phrase in theme["carried"] if phrase]
    assert page.count("<mark>") == len(marks) > 0
    assert all(len(theme["carried"]) == len(theme["quotes"]) for theme in summary["themes"])


def test_a_marked_phrase_is_escaped():
    assert marked("a <b> c", "<b>") == "a <mark>&lt;b&gt;</mark> c"
    assert marked("a <b> c", "") == "a &lt;b&gt; c"


def test_nothing_is_quoted_from_fewer_candidates_than_quote_n(given_arguments):
    few = {**given_arguments, "settings": replace(SETTINGS, quote_n=200)}
    summary = summarise(**few)
    assert not any(theme["quotes"] for theme in summary["themes"])
    assert "<blockquote>" not in render_html(summary)


def test_small_theme_shows_neither_counts_nor_words(given_arguments):
    themes = given_arguments["themes"].copy()
    emergent = themes["kind"] == "emergent"
    themes.loc[emergent, ["n_candidates", "n_passages"]] = [4, 7777]
    summary = summarise(**{**given_arguments, "themes": themes})
    theme = next(theme for theme in summary["themes"] if theme["kind"] == "emergent")
    assert theme["protected"]
    assert (theme["n_candidates"], theme["n_passages"], theme["terms"], theme["quotes"]) == (None, None, [], [])
    page = render_html(summary)
    assert "mentoring" not in page
    assert "7\u202f777" not in page


def test_markup_in_labels_quotes_and_levels_is_escaped(given_arguments):
    evil = "<script>alert('x')</script>"
    themes = given_arguments["themes"].copy()
    themes.loc[themes["kind"] == "emergent", "label"] = evil
    passages = given_arguments["passages"].assign(text=evil)
    findings = given_arguments["findings"].copy()
    findings["level"] = findings["level"].mask(findings["level"] == "Dublin", evil)
    documents = given_arguments["documents"].assign(reason=evil)
    page = render_html(
        summarise(
            **{**given_arguments, "themes": themes, "passages": passages, "findings": findings, "documents": documents}
        )
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 3


def test_plots_lie_on_the_common_axis(page):
    bars = re.findall(r'class="bar" x1="(-?\d+)" x2="(-?\d+)"', page)
    assert bars
    assert all(-100 <= int(low) <= int(high) <= 100 for low, high in bars)


def test_nothing_at_all_still_makes_every_section():
    summary = summarise(**nothing())
    page = render_html(summary)
    assert summary["counts"]["verdicts"] == {}
    assert all(f'<section id="{name}"' in page for name in SECTIONS)
    assert outline(page).wrong == []


def test_sixty_differences_fold_away(given_arguments):
    findings = given_arguments["findings"].copy()
    shown = (
        ~findings["suppressed"] & findings["difference"].notna() & (findings["segment"] != "underrepresented")
    ).to_numpy()
    findings.loc[np.flatnonzero(shown)[:60], "verdict"] = "difference"
    page = render_html(summarise(**{**given_arguments, "findings": findings}))
    assert page.count('<article class="card">') >= 60
    assert "further differences</summary>" in page


def test_one_level_and_no_theme(given_arguments):
    findings = given_arguments["findings"]
    one = findings[(findings["segment"] == "location") & (findings["level"] == "Dublin")].assign(
        verdict="not tested", difference=None, ci_low=None, ci_high=None
    )
    emptied = {name: given_arguments[name].iloc[:0] for name in ("themes", "assignments")}
    page = render_html(summarise(**{**given_arguments, **emptied, "findings": protect(one), "segments": ["location"]}))
    assert "No theme was found" in page


def people(sizes):
    level = [name for name, (size, _) in sizes.items() for _ in range(size)]
    heard = [i < k for size, k in sizes.values() for i in range(size)]
    return pd.DataFrame({"candidate_id": range(len(level)), "team": level}), pd.Series(heard)


def hidden(sizes, **options):
    return {row["level"] for row in response_rates(*people(sizes), "team", min_n=5, **options) if row["protected"]}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"a": (20, 10), "b": (9, 9)}, set()),
        ({"a": (20, 10), "b": (9, 9), "c": (4, 4)}, {"b", "c"}),
        ({"a": (20, 10), "b": (9, 4), "c": (8, 8)}, {"b", "c"}),
        ({"a": (20, 10), "b": (4, 4), "c": (3, 0)}, {"b", "c"}),
        ({"a": (20, 10), "b": (9, 0)}, set()),
    ],
)
def test_response_hides_small_levels_and_what_gives_them_away(sizes, expected):
    assert hidden(sizes) == expected


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=2))
def test_response_never_leaves_a_single_hidden_level(sizes):
    assert len(hidden({name: (n, min(k, n)) for name, (n, k) in sizes.items()})) != 1


def test_level_hidden_in_all_findings_is_hidden_in_response_too():
    assert hidden({"a": (20, 10), "b": (9, 9), "c": (30, 30)}, also_hidden=frozenset({"c"})) == {"b", "c"}


def test_missing_level_counts_as_not_disclosed():
    candidates = pd.DataFrame({"candidate_id": range(30), "team": ["a"] * 20 + [None] * 10})
    rows = response_rates(candidates, pd.Series([True] * 30), "team", min_n=5)
    assert [(row["level"], row["n_candidates"]) for row in rows] == [("a", 20), ("not disclosed", 10)]


def test_numbers_are_written_for_readers():
    assert [percent(0.456), percent(None)] == ["46 %", "–"]
    assert [points(31), points(-4), points(0), points(None)] == ["+31", "−4", "±0", "–"]
    assert [p_value(0.0004), p_value(0.0312), p_value(1.0), p_value(None)] == ["< .001", ".031", "1.000", "–"]


def test_notes_on_method_have_two_sentences_at_most(summary):
    for note in summary["method"]:
        assert len(re.findall(r"[.!?](?:\s|$)", note["text"])) <= 2, note


def test_quality_lists_skipped_doubtful_and_rare_languages(summary):
    quality = summary["quality"]
    assert quality["skipped"] == [{"document_id": "calls/unknown.vtt", "reason": "no candidate is named in it"}]
    assert quality["doubtful_roles"] == ["calls/K003.vtt"]
    assert quality["languages"] == [{"language": "en", "n": 120}, {"language": "other languages", "n": None}]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("The offer (2)", "The offer (2)"),
        ("nine weeks at Acme Labs", "[number] weeks at [company]"),
        ("team of 12", "team of [number]"),
    ],
)
def test_labels_lose_what_identifies_and_keep_their_own_number(label, shown):
    assert shown_label(label, scrub_quote) == shown
