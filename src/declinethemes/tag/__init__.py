"""Passages to tags: train a tagger, apply it, measure it.

`tagger` applies, `train` fits, `gold` projects coded quotes on passages, `evaluate` compares with codes. Encoders are
handed in.
"""

from declinethemes.tag.tagger import Tagger

__all__ = ["Tagger"]
