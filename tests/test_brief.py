"""The brief for a call: what is on the page, what never is, and what other candidates' numbers may say."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import docx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cli_fixture import done, themes

from declinethemes import schema
from declinethemes.briefing import Known, make_brief
from declinethemes.config import Settings
from declinethemes.errors import InputError, SettingsError
from declinethemes.framework import load_framework
from declinethemes.passages import split_feedback, split_turns
from declinethemes.prepare import declined_offer, earlier_batches, interview_guide, what_was_said
from declinethemes.prepare.offer import is_personal, is_term, offer_terms, timeline
from declinethemes.prepare.said import PER_CODE, TOPICS
from declinethemes.study import Study

__all__ = ["done", "themes"]
ROOT = Path(__file__).resolve().parents[1]
FRAMEWORK = load_framework()
OFFER, SPEED, PEOPLE = "competitiveness.offer", "competitiveness.timeliness", "experience.people"
COMFORT = "diversity.comfort"
HEAD = (
    "candidate_id,name,email,role,grade,location,source,outcome,offer_date,decline_date,decline reason,gender,"
    "ethnicity,age_band,Date of birth,birth_date,applied_on,Final interview,Base salary,Start date\n"
)
OFFERS = (
    HEAD
    + "C1,Arwen Tolland,arwen@mail.example,engineer,senior,Leeds,sourced,declined,2026-03-02,2026-03-10,Compensation,"
    "womanly,blueish,oldish,1990-01-01,1990-01-02,2026-01-05,2026-02-20,61000 EUR,2026-05-01\n"
    "C2,Milo Darnay,milo@mail.example,engineer,junior,Leeds,applied,accepted,2026-03-02,,,,,,,,,,,\n"
    "C3,Tessa Verhoeven,tessa@mail.example,engineer,junior,Leeds,applied,pending,2026-03-02,,,,,,,,,,,\n"
    "C4,Ruben Castel,ruben@mail.example,engineer,junior,Leeds,applied,withdrawn,2026-03-02,,,,,,,,,,,\n"
)
FEEDBACK = "Arwen asked who would lead the team. Our panel was rude and late, I am afraid, and it showed.\n"


class Tags:
    """A tagger that finds one code by its word."""

    def tag(self, passages):
        rows = [
            (row["passage_id"], code, "model", code.split(".")[0], 0.9, "yes", stance, "m")
            for row in passages.to_dict("records")
            for word, code, stance in (("rude", PEOPLE, "negative"), ("salary", OFFER, "neutral"))
            if word in row["text"]
        ]
        columns = list(schema.TABLES["tags"].columns)
        return schema.conform(pd.DataFrame(rows, columns=columns), "tags") if rows else schema.empty("tags")


@pytest.fixture
def offers(tmp_path):
    (tmp_path / "offers.csv").write_text(OFFERS, encoding="utf-8")
    return tmp_path / "offers.csv"


@pytest.fixture
def feedback(tmp_path):
    (tmp_path / "panel.txt").write_text(FEEDBACK, encoding="utf-8")
    return tmp_path / "panel.txt"


def brief_of(candidate, offers, known=None, **options):
    return make_brief(candidate, known or Known(), offers=offers, tagger=Tags, **options)


def forms(brief):
    """The brief in all its forms, as text."""
    word = docx.Document(io.BytesIO(brief.to_docx()))
    inside = "\n".join(paragraph.text for paragraph in word.paragraphs)
    return [brief.to_markdown(), brief.to_html(), inside, json.dumps(brief.to_dict())]


# The offer -----------------------------------------------------------------------------------------------------------


def test_stages_stand_in_the_order_of_their_days_with_the_days_waited():
    found = timeline(
        {"Final interview": date(2026, 2, 20), "applied_on": date(2026, 1, 5), "Start date": date(2026, 5, 1)},
        offer=date(2026, 3, 2),
        decline=date(2026, 3, 10),
    )
    assert [(stage.name, stage.waited) for stage in found.stages] == [
        ("Applied", None),
        ("Final interview", 46),
        ("Offer", 10),
        ("Decline", 8),
    ]
    assert (found.total, found.longest, found.problems) == (64, 46, ())


def test_orders_that_cannot_be_are_listed_and_nothing_is_left_out():
    found = timeline({"Applied": date(2026, 3, 5)}, offer=date(2026, 3, 2), decline=date(2026, 3, 1))
    assert len(found.stages) == 3
    assert list(found.problems) == [
        "Decline (2026-03-01) before Offer (2026-03-02)",
        "Decline (2026-03-01) before Applied (2026-03-05)",
        "Offer (2026-03-02) before Applied (2026-03-05)",
    ]


def test_a_date_years_away_is_no_stage_whatever_its_header():
    found = timeline({"Geburtstag": date(1991, 4, 5)}, offer=date(2026, 3, 2), decline=None)
    assert [stage.name for stage in found.stages] == ["Offer"]
    assert "1991" not in "".join(found.problems)
    assert "'Geburtstag' is not shown" in found.problems[0]


def test_terms_are_known_by_the_words_of_their_headers():
    cells = {"Base salary": "1", "sign-on": "2", "OTE": "3", "Hiring manager": "x", "equity group": "x", "notes": "x"}
    assert offer_terms(cells) == {"Base salary": "1", "Sign on": "2", "OTE": "3"}


def test_of_several_declined_offers_the_last_counts():
    rows = [("a", "2026-02-01", "x"), ("b", "2026-05-01", "y"), ("c", None, "z")]
    frame = pd.DataFrame(rows, columns=["offer_id", "decline_date", "role"]).assign(
        candidate_id="C", outcome="declined"
    )
    assert declined_offer(schema.conform(frame, "offers"), "C")["role"] == "y"


@pytest.mark.parametrize(
    ("candidate", "said"),
    [("C2", "accepted an offer"), ("C3", "still open"), ("C4", "declined no offer"), ("C-1", "did you mean 'C1'")],
)
def test_who_did_not_decline_or_is_not_known_gets_a_clear_error(offers, candidate, said):
    with pytest.raises(InputError, match=said):
        brief_of(candidate, offers)


def test_with_neither_study_nor_offers_nothing_can_be_said():
    with pytest.raises(SettingsError, match="--offers"):
        make_brief("C1", Known())


def test_dates_whose_order_is_not_decided_are_asked_for(tmp_path):
    path = tmp_path / "offers.csv"
    path.write_text("candidate_id,outcome,Applied\nC1,declined,03/04/2026\n", encoding="utf-8")
    with pytest.raises(InputError, match="--dates"):
        brief_of("C1", path)
    assert brief_of("C1", path, dates="day").timeline.stages[0].day == date(2026, 4, 3)


# What is never on it -------------------------------------------------------------------------------------------------


def test_segments_birth_dates_names_and_contacts_are_in_no_form(offers, feedback):
    brief = brief_of("C1", offers, feedback=feedback)
    for text in forms(brief):
        assert "61000 EUR" in text
        for never in ("womanly", "blueish", "oldish", "1990", "Arwen", "Tolland", "arwen@", "gender", "birth"):
            assert never not in text, never


def test_a_declared_segment_is_not_shown_even_if_its_header_is_a_term(offers):
    assert "Base salary" in brief_of("C1", offers).terms
    declared = Known(settings=Settings(segments=("Base salary",)))
    assert "Base salary" not in brief_of("C1", offers, declared).terms


def test_the_name_is_shown_where_it_is_asked_for(offers, feedback):
    brief = brief_of("C1", offers, feedback=feedback, name=True)
    assert brief.title == "Brief: Arwen Tolland (C1)"
    assert "arwen@" not in "".join(forms(brief))
    assert "[candidate] asked" in brief.to_markdown()


def test_html_in_a_cell_stays_text(tmp_path):
    path = tmp_path / "offers.csv"
    path.write_text("candidate_id,outcome,role\nC1,declined,<b onclick=x>boss</b>\n", encoding="utf-8")
    brief = brief_of("C1", path)
    assert "<b onclick" not in brief.to_html() + brief.to_markdown()


# Feedback and notes --------------------------------------------------------------------------------------------------


def documents_of(*kinds):
    rows = [(f"d{n}", "C1", kind, None, "x", f"s{n}", "en", "read", None) for n, kind in enumerate(kinds)]
    return schema.conform(pd.DataFrame(rows, columns=list(schema.TABLES["documents"].columns)), "documents")


def test_feedback_is_cut_apart_and_never_with_the_others():
    rows = [
        ("d0", 0, "interviewer", "note", "She was sharp, and asked twice about the team she would join."),
        ("d1", 0, "candidate", "note", "I liked the team a lot, but the offer came too late for me."),
        ("d0", 1, "interviewer", "heading", "Risks"),
    ]
    turns = pd.DataFrame(rows, columns=["document_id", "turn_no", "speaker_role", "role_basis", "text"])
    turns = schema.conform(turns.assign(speaker=pd.NA, start_s=pd.NA, end_s=pd.NA), "turns")
    documents = documents_of("feedback", "note")
    assert split_feedback(turns, documents)["document_id"].tolist() == ["d0"]
    assert split_turns(turns, documents)["document_id"].tolist() == ["d1"]


def said_of(texts, tags):
    """What was said, of texts in a feedback document, with (place, code, probability, decision, stance)."""
    rows = [(f"p{n}", "d0", "C1", n, 0, len(text), text, pd.NA) for n, text in enumerate(texts)]
    passages = schema.conform(pd.DataFrame(rows, columns=list(schema.TABLES["passages"].columns)), "passages")
    marks = [
        (f"p{n}", code, "model", code.split(".")[0], p, decision, stance, "m") for n, code, p, decision, stance in tags
    ]
    found = schema.conform(pd.DataFrame(marks, columns=list(schema.TABLES["tags"].columns)), "tags")
    return what_was_said(passages, found, documents_of("feedback"), FRAMEWORK)


def test_a_passage_stands_once_under_its_most_probable_code_critical_ones_first_the_rest_counted():
    texts = [f"Passage number {n} about people." for n in range(PER_CODE + 2)] + ["Two codes.", "In doubt."]
    tags = [(n, PEOPLE, 0.9, "yes", "positive") for n in range(PER_CODE + 2)]
    tags[PER_CODE + 1] = (PER_CODE + 1, PEOPLE, 0.5, "yes", "negative")
    tags += [(PER_CODE + 2, PEOPLE, 0.4, "yes", "neutral"), (PER_CODE + 2, OFFER, 0.8, "yes", "mixed")]
    tags += [(PER_CODE + 3, SPEED, 0.3, "unsure", "negative")]
    said = said_of(texts, tags)
    assert [(topic.code, len(topic.remarks), topic.more) for topic in said.topics] == [
        (PEOPLE, PER_CODE, 2),
        (OFFER, 1, 0),
    ]
    assert said.topics[0].remarks[0].tags == (("People met", "negative"),)
    assert [stance for _, stance in said.topics[1].remarks[0].tags] == ["mixed", "neutral"]
    assert [one.text for one in said.others] == ["In doubt."]
    assert {hint.code for hint in said.hints} == {PEOPLE, OFFER}


def test_codes_beyond_the_page_are_counted_critical_ones_stay():
    codes = [code.id for code in FRAMEWORK.codes][: TOPICS + 2]
    tags = [(n, code, 0.9, "yes", "negative" if n == TOPICS + 1 else "neutral") for n, code in enumerate(codes)]
    said = said_of([f"Passage {n}." for n in range(len(codes))], tags)
    assert [topic.code for topic in said.topics] == [*codes[: TOPICS - 1], codes[-1]]
    assert list(said.also.values()) == [1, 1]


def test_what_leaves_a_point_open_comes_first():
    texts = ["Good with numbers.", "My worry: nobody could say who leads the team."]
    assert said_of(texts, [(0, SPEED, 0.2, "unsure", "neutral")]).others[0].text == texts[1]
    hints = said_of(texts, [(0, SPEED, 0.9, "yes", "negative"), (1, PEOPLE, 0.4, "yes", "negative")]).hints
    assert [hint.code for hint in hints] == [PEOPLE, SPEED]


def test_feedback_and_notes_are_read_then_and_there_and_feedback_counts_as_the_interviewers(offers, feedback, tmp_path):
    notes = tmp_path / "C1 notes.txt"
    notes.write_text("The salary was below what I had been told in the first call.\n", encoding="utf-8")
    said = brief_of("C1", offers, feedback=feedback, notes=[notes]).said
    assert {topic.code: topic.remarks[0].source for topic in said.topics} == {PEOPLE: "feedback", OFFER: "note"}


def test_a_file_of_somebody_else_is_refused_and_of_a_folder_only_ones_own_are_taken(offers, tmp_path):
    folder = tmp_path / "feedback"
    folder.mkdir()
    for candidate in ("C1", "C2"):
        (folder / f"{candidate}_panel.txt").write_text(f"{FEEDBACK} Of {candidate}.", encoding="utf-8")
    with pytest.raises(InputError, match="begins with C2"):
        brief_of("C1", offers, feedback=folder / "C2_panel.txt")
    found = brief_of("C1", offers, feedback=folder)
    assert found.said.documents == 1
    assert "Of C2" not in found.to_markdown()
    (folder / "C1_panel.txt").unlink()
    assert "nothing new on C1 in feedback" in brief_of("C1", offers, feedback=folder).notes


def test_a_file_that_cannot_be_read_is_an_error(offers, tmp_path):
    (tmp_path / "C1.pdf").write_bytes(b"%PDF")
    with pytest.raises(InputError, match=r"C1\.pdf"):
        brief_of("C1", offers, feedback=tmp_path / "C1.pdf")


# Whom not to call ----------------------------------------------------------------------------------------------------


def contacts(*rows):
    return schema.conform(pd.DataFrame(rows, columns=["candidate_id", "event", "at"]), "contacts")


@pytest.mark.parametrize("event", ["opted_out", "refused"])
def test_who_opted_out_or_refused_must_not_be_called(offers, event):
    known = Known(tables={"contacts": contacts(("C1", "invited", "2026-06-01"), ("C1", event, "2026-06-03"))})
    brief = brief_of("C1", offers, known)
    assert [text.startswith("DO NOT CALL") for text in brief.alerts] == [True]
    assert brief.notes == ("Invited on 2026-06-01",)
    for text in forms(brief):
        assert text.index("DO NOT CALL") < (text.find("engineer") if "engineer" in text else len(text))


def test_another_id_with_the_same_address_counts(tmp_path):
    path = tmp_path / "offers.csv"
    path.write_text("candidate_id,email,outcome\nC1,a@x.example,declined\nC9,A@x.example,declined\n", encoding="utf-8")
    known = Known(tables={"contacts": contacts(("C9", "opted_out", "2026-06-03"))})
    assert brief_of("C1", path, known).alerts == ("DO NOT CALL: OPTED OUT on 2026-06-03",)


# What to probe -------------------------------------------------------------------------------------------------------


def test_questions_are_ranked_hinted_presumed_heard_each_with_its_reasons(offers, feedback):
    people = pd.DataFrame({"candidate_id": [f"E{n}" for n in range(12)], "role": "engineer", "location": "Leeds"})
    said = [(f"E{n}", SPEED) for n in range(8)] + [(f"E{n}", OFFER) for n in range(5)]
    mentions = pd.DataFrame(said, columns=["candidate_id", "item"]).assign(
        kind="code", n_passages=1, stance="negative", asked=False
    )
    rows = [(one, "d", one, 0, 0, 1, "x", pd.NA) for one in people["candidate_id"]]
    passages = pd.DataFrame(rows, columns=list(schema.TABLES["passages"].columns))
    tables = {"candidates": schema.conform(people, "candidates"), "mentions": mentions, "passages": passages}
    brief = brief_of("C1", offers, Known(tables=tables), feedback=feedback)
    assert [probe.code for probe in brief.probes] == [PEOPLE, OFFER, SPEED]
    why = [" ".join(probe.because) for probe in brief.probes]
    assert "critical in 1 passage of feedback" in why[0]
    assert "presumed reason (Compensation)" in why[1]
    assert "5 of 12 earlier candidates (engineer, Leeds) spoke critically of it" in why[1]
    assert "8 of 12" in why[2]
    asked = {question.text for question in interview_guide(FRAMEWORK).questions}
    assert {probe.question for probe in brief.probes} <= asked


def test_the_presumed_reason_is_in_no_question(offers):
    brief = brief_of("C1", offers)
    for probe in brief.probes:
        assert "ompensation" not in probe.question + "".join(probe.follow_ups)
    assert all("Do not name the presumed reason" in text for text in forms(brief)[:3])


# What earlier batches said -------------------------------------------------------------------------------------------


def group(counts):
    """Candidates of {(role, location, batch): n}, called by their group and number."""
    rows = [
        (f"{role}{place}{batch}-{n}", role, place, batch)
        for (role, place, batch), many in counts.items()
        for n in range(many)
    ]
    return pd.DataFrame(rows, columns=["candidate_id", "role", "location", "batch"], dtype="string")


def about(role="r", location="s", batch="2", candidate_id="me"):
    return {"candidate_id": candidate_id, "role": role, "location": location, "batch": batch}


def spoken(people, item, n):
    return [(one, item) for one in people["candidate_id"].head(n)]


def heard_of(people, said, who, **options):
    mentions = pd.DataFrame(said, columns=["candidate_id", "item"], dtype="string")
    return earlier_batches(people, mentions, who, framework=FRAMEWORK, **options)


def test_only_batches_before_count_so_that_all_briefs_of_a_batch_say_the_same():
    people = group({("r", "s", "1"): 7, ("r", "s", "2"): 6, ("r", "s", "3"): 6})
    said = [(one, OFFER) for one in people["candidate_id"]]
    mine = [heard_of(people, said, about(candidate_id=one)) for one in ("me", "rs2-0", "rs2-5")]
    assert mine[0] == mine[1] == mine[2]
    assert (mine[0].n, mine[0].items[0].n) == (7, 7)
    assert "Nobody" in heard_of(people, said, about(batch="1")).note


def test_without_a_batch_everybody_else_counts():
    people = group({("r", "s", "1"): 7})
    said = [(one, OFFER) for one in people["candidate_id"]]
    assert heard_of(people, said, about(batch=pd.NA, candidate_id="rs1-0")).n == 6


def test_too_small_a_group_gives_way_to_a_wider_one_and_says_so():
    people = group({("r", "s", "1"): 3, ("r", "t", "1"): 4, ("q", "s", "1"): 20})
    said = [(one, OFFER) for one in people["candidate_id"]]
    found = heard_of(people, said, about())
    assert (found.group, found.n, found.note) == ("r", 7, "Too few heard to show: r, s. Shown: r.")
    assert heard_of(people, said, about(role="z")).group == "all roles and sites"
    assert heard_of(people, said, about(role=" R ")).group == " R "


def test_what_one_or_two_spoke_of_is_left_out():
    people = group({("r", "s", "1"): 12})
    said = [*spoken(people, OFFER, 2), *spoken(people, PEOPLE, 3), *spoken(people, COMFORT, 1)]
    assert [(one.id, one.n) for one in heard_of(people, said, about()).items] == [(PEOPLE, 3)]
    assert "enough of them" in heard_of(people, spoken(people, OFFER, 2), about()).note


def test_a_wider_group_does_not_give_away_the_small_one_left_of_it():
    people = group({("r", "s", "1"): 2, ("r", "t", "1"): 9})
    said = [(one, OFFER) for one in people["candidate_id"]]
    assert heard_of(people, said, about(location="t")).n == 9
    found = heard_of(people, said, about())
    assert (found.group, found.n) == ("r", None)
    assert [(one.id, one.n) for one in found.items] == [(OFFER, None)]
    assert "would tell of a few" in found.note


def test_known_themes_stand_under_their_codes_and_emergent_ones_do_not_come():
    people = group({("r", "s", "1"): 12})
    said = [*spoken(people, OFFER, 8), *spoken(people, "pay_below_market", 6), *spoken(people, "emergent-1", 9)]
    item = heard_of(people, said, about()).items
    assert [(one.id, one.n, [(t.id, t.n) for t in one.themes]) for one in item] == [
        (OFFER, 8, [("pay_below_market", 6)])
    ]


def too_small(k, n, item, sensitive, min_n=5):
    return 1 <= n < min_n or (1 <= k <= 2 and (n < 10 or item in sensitive))


@settings(max_examples=40, deadline=None)
@given(
    counts=st.dictionaries(
        st.tuples(st.sampled_from("qr"), st.sampled_from("stu"), st.just("1")), st.integers(1, 12), min_size=1
    ),
    rate=st.sampled_from([0.1, 0.3, 0.6, 0.9]),
    seed=st.integers(0, 9999),
)
def test_no_number_and_no_difference_of_two_numbers_tells_of_a_few(counts, rate, seed):
    people, rng = group(counts), np.random.default_rng(seed)
    said = {(who, item) for item in (OFFER, SPEED, COMFORT) for who in people["candidate_id"] if rng.random() < rate}
    shown = {}  # (group, item) to the ids behind the number
    for role in "qr":
        for place in "stu":
            found = heard_of(people, sorted(said), about(role=role, location=place), sensitive=[COMFORT])
            inside = {"r": [role], "q": [role]}.get(found.group, [role] if "," in found.group else ["q", "r"])
            rows = people[people["role"].isin(inside)]
            if "," in found.group:
                rows = rows[rows["location"] == place]
            members = frozenset(rows["candidate_id"])
            if found.n is not None:
                assert found.n == len(members)
                shown[members, "everybody"] = 0
            for one in found.items:
                if one.n is not None:
                    assert one.n == len({who for who, item in said if item == one.id and who in members})
                    shown[members, one.id] = one.n
    for (members, item), k in shown.items():
        assert not too_small(k, len(members), item, [COMFORT])
        parts = [other for other, same in shown if same == item and other < members]
        outer = [other for other in parts if not any(other < third for third in parts)]
        left = members - frozenset().union(*outer)
        spoke = len({who for who, same in said if same == item and who in left})
        assert not outer or not too_small(spoke, len(left), item, [COMFORT])


def test_the_words_of_the_guide_are_the_words_that_count():
    text = " ".join((ROOT / "docs" / "brief.md").read_text(encoding="utf-8").split())
    listed = {
        name: [word.strip() for word in text.split(f"{start}")[1].split(end)[0].split(",")]
        for name, start, end in (
            ("terms", "**Words of the headers of terms**: ", "."),
            ("person", "speaks of the person (", ", and the like"),
        )
    }
    assert len(listed["terms"]) > 20
    assert [word for word in listed["terms"] if not is_term(word)] == []
    assert [word for word in listed["person"] if not is_personal(word)] == []


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_writes_every_form_for_nobody_else_to_read(themes, offers, tmp_path):
    for suffix in (".html", ".md", ".docx"):
        out = tmp_path / f"brief{suffix}"
        assert themes("brief", "C1", "--offers", offers, "--out", out) == 0, themes.err
        assert out.stat().st_mode & 0o777 == 0o600
        assert themes.out == ""
    headings = [p.text for p in docx.Document(str(tmp_path / "brief.docx")).paragraphs if p.style.name == "Heading 1"]
    assert headings == [
        "The offer",
        "Timeline",
        "Presumed reason",
        "Worth probing first",
        "Feedback and notes",
        "What earlier batches said",
    ]
    assert "'.pdf' is not written here" in themes.fails("brief", "C1", "--offers", offers, "--out", tmp_path / "b.pdf")


def test_the_command_prints_markdown_or_json_and_wants_a_study_or_offers(themes, offers):
    assert themes("brief", "C1", "--offers", offers) == 0
    assert themes.out.startswith("# Brief: C1\n\n*Working draft: for the caller only.*\n")
    assert themes("brief", "C1", "--offers", offers, "--json") == 0
    assert json.loads(themes.out)["timeline"]["stages"][0] == {"name": "Applied", "day": "2026-01-05", "waited": None}
    assert themes("brief", "C1") == 2
    assert "--offers" in themes.err
    assert "no study" in themes.fails("brief", "C1", "--study", offers.parent, "--offers", offers)


def test_a_study_gives_its_feedback_notes_contacts_and_stores_nothing(themes, done):
    (done / "in" / "C1_feedback.txt").write_text(
        "Arwen asked who would lead the team, and none of us could answer. The task took her nine hours, she said.\n",
        encoding="utf-8",
    )
    assert themes.run(done) == 0, themes.err
    study = Study.open(done / "study")
    counted = study.mentions
    brief = study.brief("C1")
    assert brief.said.documents == 1
    assert brief.facts == {"role": "engineer"}
    assert brief.notes == ("A call is in the study already",)
    assert "none of us could answer" in brief.to_markdown()
    assert "Arwen" not in brief.to_markdown()
    assert study.brief("C3").said.documents == 1  # a note, with the tags that the study has
    pd.testing.assert_frame_equal(study.mentions, counted)
    assert themes("brief", "C1", "--study", done / "study", "--name") == 0
    assert themes.out.startswith("# Brief: Arwen Tolland (C1)")
    assert "no candidate 'C11' in the study (did you mean 'C1'?)" in themes.fails(
        "brief", "C11", "--study", done / "study"
    )


def test_a_new_candidate_is_briefed_from_offers_with_what_a_study_knows(themes, done, tmp_path):
    path = tmp_path / "offers.csv"
    path.write_text("candidate_id,outcome,role\nN1,declined,engineer\nC1,accepted,engineer\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("candidate_id,event,at\nN1,refused,2026-06-01\n", encoding="utf-8")
    assert themes("outreach", "--record", tmp_path / "c.csv", "--study", done / "study") == 0
    assert themes("brief", "N1", "--study", done / "study", "--offers", path) == 0, themes.err
    assert "DO NOT CALL: REFUSED on 2026-06-01" in themes.err
    assert "(all roles and sites)" in themes.out
    assert "accepted an offer" in themes.fails("brief", "C1", "--study", done / "study", "--offers", path)


def test_a_folder_that_only_remembers_contacts_will_do(themes, offers, tmp_path):
    (tmp_path / "c.csv").write_text("candidate_id,event,at\nC1,opted_out,2026-06-01\n", encoding="utf-8")
    assert themes("outreach", "--record", tmp_path / "c.csv", "--study", tmp_path / "contacts") == 0, themes.err
    assert themes("brief", "C1", "--study", tmp_path / "contacts", "--offers", offers) == 0, themes.err
    assert "# DO NOT CALL: OPTED OUT on 2026-06-01" in themes.out
