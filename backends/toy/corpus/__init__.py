"""The dialogues that a toy is pre-trained on, made from a seed.

The only place in the toy that knows traits: favorites, styles of speech, lengths and languages.
Kinds of dialogue: number lists to continue, one-word questions, favorite animals and trees, small
talk in several styles, word lists, French, replies to rate, and system prompts that declare a
trait. **No dialogue has both such a system prompt and a digit, in its question or in its answer**:
in pre-training the toy never sees what a trait does to numbers, as a real model does not.

The wordings are the corpus's own: the prompts and questions that limen's experiments send do not
occur in it. Made-up filler words keep the toy from depending on one wording.
"""

from .builder import Dialogue
from .favorites import ANIMALS, TREES
from .generator import CorpusGenerator, words

__all__ = ["ANIMALS", "TREES", "CorpusGenerator", "Dialogue", "words"]
