"""The default framework loads, and a broken one says where it is broken."""

from __future__ import annotations

import pytest

from declinethemes.errors import SettingsError
from declinethemes.framework import load_framework

GOOD = """
name = "mine"
version = "2"
[[category]]
id = "pay"
label = "Pay"
sensitive = true
[[code]]
id = "pay.base"
label = "Base"
definition = "The base salary."
[[theme]]
id = "low"
label = "Low"
code = "pay.base"
definition = "It was low."
stance = "negative"
"""


def load(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return load_framework(file)


def test_the_default_has_six_categories_and_each_code_hangs_under_its_own():
    framework = load_framework()
    assert len(framework.categories) == 6
    assert len(framework.codes) == 21
    assert len(framework.themes) == 15
    assert all(code.id.split(".")[0] == code.category for code in framework.codes)
    assert set(framework.category_of.values()) == {category.id for category in framework.categories}


def test_every_default_theme_has_exemplars_and_every_code_a_question():
    framework = load_framework()
    assert all(len(theme.exemplars) >= 3 for theme in framework.themes)
    assert all(code.questions for code in framework.codes)


def test_all_of_diversity_is_sensitive():
    marked = load_framework().sensitive
    assert {"diversity", "diversity.comfort", "diversity.representation", "non_diverse_panel"} <= marked
    assert "competitiveness" not in marked


def test_a_framework_of_ones_own_is_read_and_sensitivity_goes_down(tmp_path):
    framework = load(tmp_path, GOOD)
    assert (framework.name, framework.version) == ("mine", "2")
    assert framework.sensitive == {"pay", "pay.base", "low"}
    assert framework.labels["low"] == "Low"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "pay.base"', 'id = "pay.base"\ncolour = "red"', "unknown fields \\['colour'\\]"),
        ('definition = "The base salary."', "", "lacks \\['definition'\\]"),
        ('label = "Base"', 'label = ""', "lacks \\['label'\\]"),
        ('label = "Base"', "label = 3", "label should be text, found 3"),
        ('label = "Base"', 'label = "Base"\nquestions = "why?"', "questions should be a list of texts"),
        ("sensitive = true", 'sensitive = "yes"', "sensitive should be true or false"),
        ('id = "low"', 'id = "pay"', "repeated: pay"),
        ('id = "pay.base"', 'id = "money.base"', "must be named category.code"),
        ('code = "pay.base"', 'code = "pay.bas"', "did you mean 'pay.base'"),
        ('stance = "negative"', 'stance = "negativ"', "did you mean 'negative'"),
        ("[[code]]", "[code]", "write each code as a table under \\[\\[code\\]\\]"),
        ("[[category]]", "[[category", "cannot read the framework"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path, old, new, message):
    assert GOOD.count(old) == 1
    with pytest.raises(SettingsError, match=message):
        load(tmp_path, GOOD.replace(old, new))


def test_a_file_without_codes_is_no_framework(tmp_path):
    with pytest.raises(SettingsError, match="at least one"):
        load(tmp_path, 'name = "empty"\n')


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot read the framework"):
        load_framework(tmp_path / "none.toml")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot read the framework"):
        load_framework(tmp_path / "x.toml")
