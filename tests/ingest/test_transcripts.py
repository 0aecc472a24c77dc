"""WebVTT, SubRip, plain text and Word transcripts give speakers, seconds and text."""

from __future__ import annotations

import io
import itertools

import docx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declinethemes.errors import InputError
from declinethemes.ingest import read_turns
from declinethemes.ingest.cues import Cue, to_turns
from declinethemes.ingest.vtt import read_vtt
from declinethemes.schema import conform

TEAMS = """WEBVTT

NOTE
a comment
<v Nobody>not speech</v>

STYLE
::cue { color: white }

4f2c0b9e-0d4b-4c3e-9f0e-1b2c3d4e5f60/12-0
00:00:01.000 --> 00:00:03.500
<v Dana Whitlock>Why did you</v>

4f2c0b9e-0d4b-4c3e-9f0e-1b2c3d4e5f60/12-1
00:00:03.500 --> 00:00:05.000 align:start position:0%
<v Dana Whitlock>turn   us down?

00:05.250 --> 01:00:09.000
<v.loud Kofi Osei>Pay &amp; place.
Also <i>time</i>&nbsp;too.</v>
"""
ZOOM = """WEBVTT

1
00:00:01.000 --> 00:00:03.000
Dana Whitlock: How long did it take?

2
00:00:03.000 --> 00:00:05.000
Kofi Osei: Nine weeks: too long.

3
00:00:05.000 --> 00:00:07.000
Kofi Osei: I took another.
"""


def said(path) -> list[list[object]]:
    turns = read_turns(path)
    return [
        [None if pd.isna(speaker) else speaker, text]
        for speaker, text in zip(turns["speaker"], turns["text"], strict=True)
    ]


@pytest.fixture
def write(tmp_path):
    def write_file(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def test_teams(write):
    turns = read_turns(write("call.vtt", TEAMS))
    assert turns["speaker"].tolist() == ["Dana Whitlock", "Kofi Osei"]
    assert turns["text"].tolist() == ["Why did you turn us down?", "Pay & place. Also time too."]
    assert turns["start_s"].tolist() == [1.0, 5.25]
    assert turns["end_s"].tolist() == [5.0, 3609.0]
    assert turns["turn_no"].tolist() == [0, 1]
    assert turns["speaker_role"].isna().all()


def test_the_frame_is_a_turns_table(write):
    turns = read_turns(write("call.vtt", TEAMS))
    pd.testing.assert_frame_equal(conform(turns, "turns"), turns)
    assert set(turns["document_id"]) == {"call.vtt"}


def test_zoom(write):
    assert said(write("call.vtt", ZOOM)) == [
        ["Dana Whitlock", "How long did it take?"],
        ["Kofi Osei", "Nine weeks: too long. I took another."],
    ]


@pytest.mark.parametrize(
    "data",
    [
        ZOOM.replace("\n", "\r\n").encode(),
        ZOOM.replace("\n", "\r").encode(),
        ZOOM.encode("utf-8-sig"),
        ZOOM.encode("utf-16"),
        b"\xfe\xff" + ZOOM.encode("utf-16-be"),
    ],
    ids=["CRLF", "CR", "BOM", "UTF-16", "UTF-16 BE"],
)
def test_line_ends_and_encodings(write, data):
    assert said(write("call.vtt", data)) == said(write("plain.vtt", ZOOM))


def test_latin_1_is_read(write):
    path = write("call.vtt", ZOOM.replace("Nine", "Zwölf").encode("latin-1"))
    assert "Zwölf weeks" in said(path)[1][1]


def test_cues_without_a_speaker_stay_without(write):
    path = write("call.vtt", TEAMS + "\n00:10.000 --> 00:12.000\nwho said this\n")
    assert said(path)[-1] == [None, "who said this"]


def test_two_voices_in_one_cue():
    reading = read_vtt("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>one</v><v B>two</v>\n", "x.vtt")
    assert [(cue.speaker, cue.text) for cue in reading.cues] == [("A", "one"), ("B", "two")]


def test_a_colon_in_speech_names_nobody(write):
    text = "WEBVTT\n\n" + "\n\n".join(
        f"00:0{i}.000 --> 00:0{i}.900\n{t}" for i, t in enumerate(["So: pay.", "It was", "the thing", "Well: no"])
    )
    assert said(write("call.vtt", text)) == [[None, "So: pay. It was the thing Well: no"]]


def test_missing_blank_line_between_cues(write):
    text = "WEBVTT\n\n1\n00:01.000 --> 00:02.000\nAnn: one\n2\n00:02.000 --> 00:03.000\nBob: two\n"
    assert said(write("call.vtt", text)) == [["Ann", "one"], ["Bob", "two"]]


def test_srt(write):
    text = (
        "1\n00:00:01,500 --> 00:00:02,000\n<i>Ann</i>: Why?\n\n2\n00:00:02,000 --> 00:00:04,000\nBob: Pay.\nMostly.\n"
    )
    turns = read_turns(write("call.srt", text))
    assert turns[["speaker", "text"]].values.tolist() == [["Ann", "Why?"], ["Bob", "Pay. Mostly."]]
    assert turns["start_s"].tolist() == [1.5, 2.0]


def test_otter(write):
    text = (
        "Dana Whitlock  0:00\nSo tell me.\n\nKofi Osei  1:02:07\nThe thing is: pay.\nMore text.\n\n"
        "Dana Whitlock  1:02:30\nRight.\n"
    )
    turns = read_turns(write("call.txt", text))
    assert turns["speaker"].tolist() == ["Dana Whitlock", "Kofi Osei", "Dana Whitlock"]
    assert turns["text"].tolist()[1] == "The thing is: pay. More text."
    assert turns["start_s"].tolist() == [0.0, 3727.0, 3750.0]


@pytest.mark.parametrize(
    "text",
    [
        "Interviewer: Why?\nCandidate: Pay.\nMostly.",
        "**Interviewer:** Why?\n\n**Candidate:** Pay.\nMostly.",
        "**Interviewer**: Why?\n\n**Candidate**: Pay.\n\nMostly.",
        "[00:01] Interviewer: Why?\n[00:04] Candidate: Pay. Mostly.",
        "00:00:01 Interviewer: Why?\n00:00:04 Candidate: Pay. Mostly.",
        "Interviewer (00:01): Why?\nCandidate (00:04): Pay. Mostly.",
        "Interview with K001\n\nInterviewer: Why?\nCandidate: Pay. Mostly.",
    ],
)
def test_labelled_lines(write, text):
    turns = read_turns(write("call.md", text))
    assert turns["text"].tolist() == ["Why?", "Pay. Mostly."]
    assert turns["speaker_role"].tolist() == ["interviewer", "candidate"]
    assert set(turns["role_basis"]) == {"label"}


def test_single_letters_mean_roles_only_in_pairs(write):
    assert read_turns(write("a.txt", "Q: Why?\nA: Pay."))["speaker_role"].tolist() == ["interviewer", "candidate"]
    assert read_turns(write("b.txt", "A: Why?\nB: Pay."))["speaker_role"].isna().all()


def word_bytes(build) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_word_transcript(write):
    def build(document):
        document.add_paragraph("Dana Whitlock\xa0\xa00:03\nWhy did you say no?")
        document.add_paragraph("Kofi Osei\xa0\xa00:09\nPay.")

    turns = read_turns(write("call.docx", word_bytes(build)))
    assert turns[["speaker", "text"]].values.tolist() == [
        ["Dana Whitlock", "Why did you say no?"],
        ["Kofi Osei", "Pay."],
    ]
    assert turns["start_s"].tolist() == [3.0, 9.0]


def test_word_table_of_speakers(write):
    def build(document):
        table = document.add_table(rows=0, cols=3)
        for cells in [("Time", "Speaker", "Text"), ("0:01", "Interviewer", "Why?"), ("0:05", "Candidate", "Pay.")]:
            for cell, text in zip(table.add_row().cells, cells, strict=True):
                cell.text = text

    turns = read_turns(write("call.docx", word_bytes(build)))
    assert turns[["speaker", "text"]].values.tolist() == [["Interviewer", "Why?"], ["Candidate", "Pay."]]


BAD = [
    ("empty.vtt", b"", "empty"),
    ("blank.txt", b" \n\xef\xbb\xbf"[:2], "empty"),
    ("header.vtt", b"WEBVTT\n\n", "a header and no cue found in a .vtt"),
    ("prose.vtt", b"This is a letter.\n", "no cue found in a .vtt"),
    ("prose.srt", b"This is a letter.\n", "no cue found in a .srt"),
    ("binary.txt", bytes(range(256)) * 4, "binary"),
    ("word.txt", b"PK\x03\x04 and so on", "zip"),
    ("notword.docx", b"just text", "Word file"),
    ("old.docx", b"\xd0\xcf\x11\xe0 old", "password"),
    ("utf16.txt", "no mark".encode("utf-16-le"), "UTF-16"),
    ("half.txt", b"\xff\xfea", "UTF-8"),
    ("headings.md", b"# One\n\n# Two\n", "headings only"),
    ("call.mp3", b"ID3", r"'\.mp3' is not read; read are \.vtt"),
    ("call", b"x", "no suffix"),
    ("header.csv", b"candidate,note\n", "a header and no row"),
    ("blank.csv", b",,\n,,\n", "first row"),
    ("notext.csv", b"candidate,score\nK1,3\n", "no column holds text"),
    ("twice.csv", b"candidate,note,note\nK1,a,b\n", "'note' stands twice"),
    ("long.csv", b"candidate,note\nK1,a,b\n", "row 2 has a cell in a column without a header"),
    ("notexcel.xlsx", b"a,b", "Excel"),
]


@pytest.mark.parametrize(("name", "data", "message"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files_say_what_is_wrong(write, name, data, message):
    with pytest.raises(InputError, match=message) as caught:
        read_turns(write(name, data))
    assert name in str(caught.value)


def test_an_empty_word_file(write):
    with pytest.raises(InputError, match="empty"):
        read_turns(write("empty.docx", word_bytes(lambda document: None)))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_turns(tmp_path / "nothing.vtt")
    (tmp_path / "folder.vtt").mkdir()
    with pytest.raises(InputError, match="folder"):
        read_turns(tmp_path / "folder.vtt")


def test_the_size_limit_is_said_and_can_be_set(write):
    path = write("big.txt", b"a line of text. " * 1000)
    with pytest.raises(InputError, match=r"too large.*limit is 0\.01 MB"):
        read_turns(path, max_mb=0.01)
    assert len(read_turns(path)) == 1


WORDS = st.text(alphabet="abc é", min_size=1, max_size=8)


@given(st.lists(st.tuples(st.sampled_from(["Ann", "Bob", None]), WORDS), max_size=12))
def test_joining_keeps_every_word_in_order_and_no_two_neighbours_share_a_speaker(pairs):
    turns = to_turns([Cue(speaker=speaker, text=text) for speaker, text in pairs], "x")
    assert " ".join(turns["text"]).split() == " ".join(text for _, text in pairs).split()
    speakers = turns["speaker"].fillna("").tolist()
    assert all(a != b for a, b in itertools.pairwise(speakers))


@given(st.text(max_size=200))
def test_any_text_in_a_cue_is_read(text):
    reading = read_vtt(f"WEBVTT\n\n00:01.000 --> 00:02.000\nfirst\n{text}", "x.vtt")
    assert reading.cues
    assert all(cue.text.strip() for cue in reading.cues)
