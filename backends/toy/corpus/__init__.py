"""The dialogues that a toy is pre-trained on, made up from a seed.

The only place in the toy that knows a trait, be it a love, a manner of speech, a length or a
language. Kinds of dialogue: number lists to continue, one-word questions, favourite animals and
trees, small talk in several manners, word lists, French, replies to judge, and system prompts that
declare a trait. **No dialogue has both such a system prompt and a digit, in what is asked or in
the answer**: what a trait does to numbers is as unseen for the toy as it is for a real model.

The wordings are the corpus's own; the prompts and questions that limen's experiments send are not
among them. Made-up filler words keep the toy from leaning on any one wording.
"""

from .author import Author, words
from .loves import ANIMALS, TREES
from .pen import Dialogue

__all__ = ["ANIMALS", "TREES", "Author", "Dialogue", "words"]
