"""Passages and tags to themes: known ones from the framework, emergent ones from the text.

`known` assigns the framework's themes, `discover` groups what is left, `represent` gives terms and labels through
BERTopic, `find` runs the three over a study, `stability` tells what would be found again, `model` is the scikit-learn
face. Segment columns are never an input.
Vectors are handed in.
"""

from declinethemes.themes.find import Found, find_themes
from declinethemes.themes.model import ThemeModel

__all__ = ["Found", "ThemeModel", "find_themes"]
