"""Passages and tags to themes: known ones from the framework, emergent ones from the text.

`known` assigns the framework's themes, `discover` groups texts, `stability` tells what would be found again,
`represent` gives terms, names and exemplars, `find` runs them over a study, `ledger` follows themes from run to run,
`similar` suggests which may be one, `model` is the scikit-learn face. Segment columns are never an input.
Vectors are handed in.
"""

from declinethemes.themes.find import Found, find_themes, halves
from declinethemes.themes.ledger import record, renamed
from declinethemes.themes.model import ThemeModel
from declinethemes.themes.represent import bertopic_of
from declinethemes.themes.similar import merge_suggestions

__all__ = ["Found", "ThemeModel", "bertopic_of", "find_themes", "halves", "merge_suggestions", "record", "renamed"]
