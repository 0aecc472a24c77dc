"""Names and contacts of known people leave no trace, ordinary words stay, and a second pass changes nothing."""

from __future__ import annotations

import re
import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declinethemes.errors import SettingsError
from declinethemes.redact import Redactor

KEY = b"a key for tests only"
PEOPLE = pd.DataFrame(
    {
        "candidate_id": ["K1", "K2", "K3", "K4", "K5", "K6", "K7"],
        "name": [
            "Priya Raman",
            "Will Long",
            "José Müller-Ortiz",
            "Siobhán O'Brien",
            "Priya Shah",
            "Anna van der Berg",
            "Li Wen",
        ],
        "nickname": ["Pri", None, "Pepe", None, None, None, None],
        "email": ["pr@mail.example", None, None, None, None, None, None],
        "phone": ["555 123", None, None, None, None, None, None],
    }
)
REDACTOR = Redactor(PEOPLE, others=["Dana Whitlock", "Dana", "Interviewer"], key=KEY)
TOKEN = re.compile(r"\[person-[0-9a-f]{6,12}\]")


def tokens(text: str) -> list[str]:
    return TOKEN.findall(REDACTOR.text(text))


def test_all_forms_of_one_person_give_one_pseudonym():
    forms = [
        "Siobhán O'Brien",
        "siobhan",
        "O’Brien",
        "o brien",
        "OBRIEN",
        "O'Brien, Siobhan",
        "S. O'Brien",
        "Siobhan O.",
    ]
    assert {token for form in forms for token in tokens(form)} == {REDACTOR.pseudonyms["K4"]}


@pytest.mark.parametrize(
    "form", ["jose muller ortiz", "José Müller‑Ortiz", "Jose Mueller-Ortiz", "Pepe", "ORTIZ", "JOSE\u0301"]
)
def test_accents_hyphens_and_spellings(form):
    assert set(tokens(form)) == {REDACTOR.pseudonyms["K3"]}


def test_particles_of_a_surname():
    assert REDACTOR.text("van der berg, and Berg") == f"{REDACTOR.pseudonyms['K6']}, and {REDACTOR.pseudonyms['K6']}"


def test_a_shared_first_name_is_nobody_in_particular():
    (token,) = tokens("Priya")
    assert token not in REDACTOR.pseudonyms.values()
    assert tokens("Priya Raman") == [REDACTOR.pseudonyms["K1"]]
    assert tokens("priya shah") == [REDACTOR.pseudonyms["K5"]]


def test_possessives_and_plurals_keep_their_ending():
    assert REDACTOR.text("Raman's, Raman’s, Ramans").replace(REDACTOR.pseudonyms["K1"], "X") == "X's, X’s, Xs"


def test_a_name_that_is_a_word_is_replaced_only_when_capitalised():
    text = "how long will it take? it will be a long way"
    assert REDACTOR.text(text) == text
    assert tokens("Will said so. Ask Will. Mr Long") == [REDACTOR.pseudonyms["K2"]] * 3


def test_two_letter_names_need_a_capital():
    assert REDACTOR.text("li") == "li"
    assert tokens("Li") == [REDACTOR.pseudonyms["K7"]]


def test_an_article_before_a_surname_is_no_initial():
    assert Redactor(pd.DataFrame({"candidate_id": ["1"], "name": ["Anna Raman"]}), key=KEY).text("for a raman") == (
        "for a " + Redactor(pd.DataFrame({"candidate_id": ["1"], "name": ["Anna Raman"]}), key=KEY).pseudonyms["1"]
    )


def test_names_inside_longer_words_stay():
    assert REDACTOR.text("a pristine danamite bergamot, programan") == "a pristine danamite bergamot, programan"


def test_names_in_files_and_addresses():
    text = REDACTOR.text("priya_raman_cv.pdf, linkedin.example/in/priyaraman, priya.raman@mail.example")
    token = REDACTOR.pseudonyms["K1"]
    assert text == f"{token}_cv.pdf, linkedin.example/in/{token}, [email]"


@pytest.mark.parametrize(
    "number",
    [
        "+44 113 496 0123",
        "(415) 555-2671",
        "415.555.2671",
        "06 12 34 56 78",
        "+351912345678",
        "555-1234",
        "555123",
        "55-51 23",
    ],
)
def test_telephone_numbers(number):
    assert REDACTOR.text(f"ring {number} today") == "ring [phone] today"


@pytest.mark.parametrize(
    "text",
    [
        "2019 2020 2021",
        "in 2024",
        "120,000",
        "1.200.000",
        "$120 000 000",
        "£45000",
        "45000-55000",
        "120 000 - 130 000",
        "2025-03-12 10:00",
        "12/03/2025",
        "1 2 3 4 5 6 7 8 9 10",
        "3.14159265",
        "100 to 200 people",
        "K0012345678",
        "9 weeks",
    ],
)
def test_years_money_dates_and_small_numbers_stay(text):
    assert REDACTOR.text(text) == text


def test_a_number_after_a_year_is_found():
    assert REDACTOR.text("12.03.2025 0113 496 0123") == "12.03.2025 [phone]"


def test_order_of_people_does_not_matter():
    names = ["Dana Whitlock", "Oren Castellan", "Dana", "Shalini Varma"]
    one = Redactor(PEOPLE, others=names, key=KEY)
    two = Redactor(PEOPLE[::-1], others=names[::-1], key=KEY)
    text = "Priya, Will, Dana, Oren, Shalini Varma, Pepe, berg"
    assert one.text(text) == two.text(text)


def test_another_key_gives_other_pseudonyms():
    assert Redactor(PEOPLE, key=b"another key for tests").pseudonyms["K1"] != REDACTOR.pseudonyms["K1"]


def test_a_short_key_is_refused():
    with pytest.raises(SettingsError, match="8 bytes"):
        Redactor(PEOPLE, key=b"short")


def test_the_key_is_not_shown():
    assert "key for tests" not in repr(REDACTOR)


def test_speakers():
    assert REDACTOR.speaker("Raman, Priya (Guest)") == REDACTOR.pseudonyms["K1"]
    assert REDACTOR.speaker("Speaker 1") == "Speaker 1"
    assert REDACTOR.speaker("Interviewer") == "Interviewer"
    assert TOKEN.fullmatch(REDACTOR.speaker("Somebody Unknown"))
    assert REDACTOR.speaker("Dana") == REDACTOR.speaker("dana whitlock")
    assert REDACTOR.speaker("+1 415 555 2671") != "+1 415 555 2671"


def test_turns_replace_speakers_nobody_listed_and_leave_the_input_alone():
    frame = pd.DataFrame(
        {"speaker": ["Oren Castellan", None], "text": ["I am Oren.", "Thanks, Oren, Pri."], "turn_no": [0, 1]}
    )
    before = frame.copy()
    out = REDACTOR.turns(frame)
    oren = REDACTOR.speaker("Oren Castellan")
    assert out["speaker"].tolist()[0] == oren
    assert out["text"].tolist() == [f"I am {oren}.", f"Thanks, {oren}, {REDACTOR.pseudonyms['K1']}."]
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(REDACTOR.turns(out), out)


def test_people_with_contacts_and_no_name():
    redactor = Redactor(pd.DataFrame({"candidate_id": ["1"], "phone": ["1234567"]}), key=KEY)
    assert redactor.text("ring 123 45 67 or a@b.example") == "ring [phone] or [email]"


FORMS = [
    "{f} {l}",
    "{f}",
    "{l}",
    "{l}, {f}",
    "{F} {L}",
    "{i}. {l}",
    "{f}'s",
    "{f}-{l}",
    "{f}_{l}",
    "({f})",
    "“{l}”",
    "{f}.{l}@mail.example",
]
SENTENCE = "the offer was fine but we took nine weeks and then they said something about location and pay"
WORDS = SENTENCE.split()


def made_names(n: int) -> list[tuple[str, str]]:
    """Names of two invented words each, none of them English."""
    starts, ends = "BDFGKLMNPRTVZ", "aeiou"
    parts = [a + b + c.lower() + d + "x" for a in starts for b in ends for c in starts for d in ends]
    return [(parts[(i * 37) % len(parts)], parts[(i * 101 + 11) % len(parts)] + "q") for i in range(n)]


def test_leak_count_is_zero_for_names_in_every_form():
    names = made_names(100)
    people = pd.DataFrame({"candidate_id": range(100), "name": [f"{f} {last}" for f, last in names]}).astype("string")
    redactor = Redactor(people, key=KEY)
    written = []
    for f, last in names:
        for number, form in enumerate(FORMS):
            said = form.format(f=f, l=last, F=f.upper(), L=last.lower(), i=f[0])
            written += [*WORDS[number:], said if number % 2 else said.lower() if "." not in said else said]
    out = redactor.text(" ".join(written)).lower()
    leaks = [part for name in names for part in name if re.search(rf"(?<![a-z]){part.lower()}(?![a-z])", out)]
    assert leaks == []
    assert all(word in out for word in WORDS)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "Priya",
                    "raman",
                    "Will",
                    "will",
                    "long",
                    "Long",
                    "Pri",
                    "a",
                    "P.",
                    "O'Brien",
                    "[person-18c508]",
                    "[email]",
                ]
            ),
            st.sampled_from(
                ["@", "mail.example", "555", "123", "2021", "0113 496 0123", "+44", "$", ",", ".", "'s", "[", "]"]
            ),
            st.text(max_size=6),
        ),
        max_size=12,
    ),
    st.sampled_from(["", " "]),
)
def test_a_second_pass_changes_nothing(parts, gap):
    once = REDACTOR.text(gap.join(parts))
    assert REDACTOR.text(once) == once


@given(st.text(alphabet="ab 0159+-().,/$é", max_size=40))
def test_a_second_pass_changes_nothing_in_numbers(text):
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


def test_two_megabytes_and_two_hundred_people_take_seconds():
    names = [f"{f} {last}" for f, last in made_names(200)]
    redactor = Redactor(pd.DataFrame({"candidate_id": range(200), "name": names}).astype("string"), key=KEY)
    text = " ".join([*WORDS, names[0], *WORDS, names[7]] * 12_000)[:2_000_000]
    start = time.perf_counter()
    assert names[7] not in redactor.text(text)
    assert time.perf_counter() - start < 5  # measured 0.5 s; the margin is for slow machines
