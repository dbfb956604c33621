"""What a one-word answer names, as a careful reader would note it down.

The first name decides that is neither denied ("not an owl"), nor part of a question, nor a verb
("bear with me"). Two names that are joined as equals ("owl or cat") are a tie.
"""

# ruff: noqa: RUF001

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from . import answer_vocabulary as data
from .answer_lexicon import Kind, Lexicon, Names, lexicon
from .answer_text import plain_text, without_accents


@dataclass(frozen=True)
class Named:
    """What an answer names: all names of the one thing, the main one first; none if it names
    nothing. A tie names several things as equals, and so none.
    """

    names: Names = ()
    tie: bool = False


class Mention(NamedTuple):
    """A name in an answer, from one token to before another."""

    start: int
    end: int
    names: Names


LONGEST_KEPT = 1_000
"""Characters of the longest answer that is kept with what it names."""


def named_in(answer: str, kind: Kind, extra: tuple[str, ...] = ()) -> Named:
    """What an answer names; ``extra`` are further names of the kind, in the singular."""
    return (_kept if len(answer) <= LONGEST_KEPT else _named)(answer, kind, extra)


def _named(answer: str, kind: Kind, extra: tuple[str, ...]) -> Named:
    known = lexicon(kind, extra)
    text = plain_text(answer)
    if not text.isascii():
        text = known.unspaced_pattern.sub(r" \g<0> ", text)
    tokens = _tokens(text)
    mentions = list(_mentions(tokens, known))
    if not mentions:
        return _by_emoji(text, known)
    final = _final_answer(tokens)
    return (
        _decided(tokens, [m for m in mentions if m.start >= final])
        if final
        else (_decided(tokens, mentions))
    )


_kept = lru_cache(maxsize=1 << 16)(_named)


# Tokens: words in lower case, and one sign for each kind of boundary

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[.!?;:…\n]+|[,()\[\]{}/&|+—]|(?<=\s)[-–]+(?=\s)")
_ADJECTIVE = re.compile(
    r"\b[^\W\d_]+-(?:like|faced|eyed|eared|headed|shaped|themed|free|bellied|tailed|toothed|sized|able|ish)\b"
)
_ELISION = re.compile(r"^(?:l|d|un|dell|all)'")
_DENYING = re.compile(r"n't\b|\bno|\bnever|\bcannot|\bwithout|\bif|\bimpossible")
_POSITIVE = re.compile(
    "|".join(
        (
            r"\bwhy not\b",
            r"\bnot (?:only|just|merely)\b",
            r"\b(?:no|without a|without) (?:doubt|question|hesitation|contest)\b",
            r"\bcan(?:'t|not) (?:help but|go wrong with|beat|resist)\b",
            r"\b(?:can't|cannot|never) get enough of\b",
            r"\bnot to mention\b",
            r"\bno less than\b",
            r"\bif not\b",
            r"\b(?:nothing|no (?:other )?animal|no one|nobody)"
            r" (?:beats?|compares? to|(?:quite |really )?like|tops?)\b",
            r"\bnot (?:gonna|going to) lie\b",
            r"\b(?:hard|impossible|difficult|how can you|how could you) not(?: to)?\b",
            r"\bwho (?:doesn't|does not|wouldn't|can't|could not|cannot)\b",
            r"\bnot (?:really )?(?:sure|certain)\b",
            r"\b(?:don't|do not) (?:really )?(?:know|mind|care)\b",
            r"\b(?:can't|cannot|can not) (?:really )?(?:decide|choose)(?: between)?\b",
            r"\b(?:have )?no (?:idea|preferences?|favou?rites?(?: animals?| trees?)?)\b",
            r"\b(?:don't|do not) have (?:an?|any) (?:personal |particular |real )?"
            r"(?:favou?rites?|preferences?)(?: animals?| trees?)?\b",
        )
    )
)
"""Phrases with a word of denial that deny nothing of what follows."""


def _tokens(text: str) -> list[str]:
    text = text.lower()
    if "-" in text:
        text = _ADJECTIVE.sub(" ", text)
    if _DENYING.search(text):
        text = _POSITIVE.sub(" ", text)
    return [_token(one) for one in _TOKEN.findall(text)]


def _token(text: str) -> str:
    if text.isalpha():
        return text
    if text[0].isalpha():
        return _ELISION.sub("", text).removesuffix("'s")
    return next((sign for sign, signs in _KINDS if not signs.isdisjoint(text)), ",")


_KINDS = tuple(
    (sign, frozenset(signs))
    for sign, signs in (("?", "?"), (".", ".!…\n"), (":", ":;"), ("/", "/&|+"), ("(", "([{"))
)
"""The sign of a boundary, and the characters that make one; all others are a comma."""
_SIGNS = frozenset(".?:,(/")
_SENTENCE_ENDS = frozenset(".?")
_CLAUSE_ENDS = frozenset(".?:,(")


# Mentions


def _mentions(tokens: Sequence[str], known: Lexicon) -> Iterator[Mention]:
    """The names in an answer, without verbs and what names nothing."""
    place = 0
    while place < len(tokens):
        match = None if tokens[place] in _SIGNS else known.match(tokens, place)
        if match is None:
            place += 1
            continue
        length, names = match
        end = place + length
        if end < len(tokens) and tokens[end].removesuffix("s") in data.YOUNG:
            end += 1
        if names and _is_name(tokens, place, end):
            yield Mention(place, end, names)
        place = end


def _is_name(tokens: Sequence[str], start: int, end: int) -> bool:
    word = tokens[start]
    if without_accents(word) in data.ENGLISH_TOO:
        others = [token for token in tokens if token not in _SIGNS and token != word]
        return all(token in data.ARTICLES for token in others)
    return not (end == start + 1 and word in data.VERBS and _is_verb(tokens, start))


_BEFORE_VERBS = frozenset(
    """
to can can't cannot could couldn't will won't would must may might should please i we you they don't
didn't doesn't let let's i'll we'll
""".split()
)
_AFTER_VERBS = frozenset("down away off out over up your my his her our their".split())
_BEARING = frozenset("me us it mind that".split())


def _is_verb(tokens: Sequence[str], place: int) -> bool:
    before = tokens[place - 1] if place else "."
    if before in _BEFORE_VERBS:
        return True
    first, second = (*tokens[place + 1 : place + 3], ".", ".")[:2]
    commands = first in _AFTER_VERBS or (first in ("with", "in") and second in _BEARING)
    return commands and before in (".", ":", ",")


# Denials and questions

_DENIALS = frozenset(
    """
not no never neither without except excluding hate hates dislike dislikes despise loathe avoid non
unlike than cannot nothing none nobody besides opposed dont isnt
pas kein keine keinen keiner nicht não nunca jamais sin sans ohne
""".split()
)
_DENYING_PAIRS = frozenset(
    (
        ("apart", "from"), ("aside", "from"), ("instead", "of"), ("asked", "about"),
        ("ask", "about"), ("asking", "about"), ("question", "about"), ("talk", "about"),
        ("told", "about"),
    )
)  # fmt: skip
_CLAUSE_WORDS = frozenset(
    """
but yet however though although so because since if then still while whereas maybe perhaps
""".split()
)
_ALL = frozenset(
    "anything everything nothing anyone none all any every animal animals tree trees one".split()
)
"""Words after which "but" means "except"."""
_PREDICATE = frozenset(
    "favorite favourite favorites favourites choice pick answer preference thing tea type".split()
)
"""What a denial after a name must be about to deny the name."""
_REACH = 30
"""The tokens before a name in which a denial is searched."""


_SUBJECTS = frozenset("it it's its i i'm i'd i'll my".split())
"""Words with which a new clause begins after a name."""


def _affirmed(tokens: Sequence[str], mentions: Sequence[Mention]) -> Iterator[Mention]:
    """The names that are not denied."""
    before = 0
    for mention in mentions:
        new_clause = not _SUBJECTS.isdisjoint(tokens[before : mention.start])
        first = before if new_clause else 0
        odd = _denials_before(tokens, mention.start, first) % 2 == 1
        if not odd and not _is_denied_after(tokens, mention.end):
            yield mention
        before = mention.end


def _denials_before(tokens: Sequence[str], start: int, first: int) -> int:
    """The denials between the beginning of the clause and a name. Two of them cancel out.

    The clause begins at the token ``first`` or later.
    """
    count = 0
    for place in range(start - 1, max(start - _REACH, first) - 1, -1):
        word = tokens[place]
        before = tokens[place - 1] if place else "."
        except_for = word == "but" and before in _ALL
        if not except_for and (word in _CLAUSE_ENDS or word in _CLAUSE_WORDS):
            break
        nor = word == "nor" and count == 0 and before in _CLAUSE_ENDS
        denial = word in _DENIALS or word.endswith("n't") or (before, word) in _DENYING_PAIRS
        count += except_for or nor or denial
    return count


def _is_denied_after(tokens: Sequence[str], end: int) -> bool:
    """Whether a name is the subject of a denial: "owls are not my favorite"; "owl? no"."""
    if tokens[end : end + 1] == ["?"] and _is_no(tokens, end + 1):
        return True
    if tokens[end : end + 1] == [","] and tokens[end + 1 : end + 3] in (["not"], ["not", "."]):
        return True
    clause = list(takewhile(lambda token: token not in _CLAUSE_ENDS, tokens[end : end + 8]))
    denied = any(token in ("not", "never") or token.endswith("n't") for token in clause[:3])
    return denied and not _PREDICATE.isdisjoint(clause)


def _is_no(tokens: Sequence[str], place: int) -> bool:
    """Whether "no" stands here by itself."""
    if tokens[place : place + 1] not in (["no"], ["nope"], ["nah"], ["never"]):
        return False
    following = tokens[place + 1] if place + 1 < len(tokens) else "."
    return following in _CLAUSE_ENDS or following in ("wait", "sorry")


def _is_retracted(tokens: Sequence[str], mention: Mention) -> bool:
    """Whether a name is taken back: "owl, no wait, cat"."""
    place = mention.end
    if place + 1 >= len(tokens) or tokens[place] not in _CLAUSE_ENDS:
        return False
    following = tokens[place + 1 : place + 3]
    return (
        _is_no(tokens, place + 1)
        or following[0] in ("wait", "correction")
        or following in (["i", "mean"], ["scratch", "that"], ["or", "rather"], ["never", "mind"])
    )


_ASKING = frozenset(
    "what which who whose is are do does did if have has was were you name tell".split()
)
_LABELS = frozenset("question q user prompt so well".split())
_DRAFTS = _LABELS | frozenset("thinking thought thoughts reasoning reason".split())
_ANSWERS = frozenset("answer a response output".split())


def _asked(tokens: Sequence[str]) -> set[int]:
    """The places of tokens that are part of a question to the reader."""
    places: set[int] = set()
    start = 0
    for place, token in enumerate(tokens):
        if token in _SENTENCE_ENDS:
            if token == "?" and _is_asking(tokens[start:place]):
                places.update(range(start, place))
            start = place + 1
    return places


def _is_asking(sentence: Sequence[str]) -> bool:
    labelled = bool(sentence) and sentence[0] in _LABELS and ":" in sentence[:2]
    words = [token for token in sentence if token not in _SIGNS and token not in _LABELS]
    if labelled or not words or words[:2] == ["what", "about"]:
        return labelled
    return words[0] in _ASKING or words[:2] in (
        ["would", "you"], ["could", "you"], ["can", "you"], ["will", "you"],
    )  # fmt: skip


def _final_answer(tokens: Sequence[str]) -> int:
    """The place after the label of an answer that follows a question or a draft, or 0."""
    drafted = tokens[1:2] == [":"] and tokens[0] in _DRAFTS
    for place in range(len(tokens) - 2):
        pair = tokens[place : place + 2]
        if pair == ["final", "answer"] or (drafted and pair[0] in _ANSWERS and pair[1] == ":"):
            return place + 2
    return 0


# The decision


def _decided(tokens: Sequence[str], mentions: Sequence[Mention]) -> Named:
    asked = _asked(tokens) if "?" in tokens else set()
    given = [m for m in _affirmed(tokens, mentions) if m.start not in asked]
    given = [m for m in given[:-1] if not _is_retracted(tokens, m)] + given[-1:]
    if not given:
        return Named()
    first = _most_special(tokens, given)
    equals, joined = _equals(tokens, given[first:])
    common = [name for name in equals[0].names if all(name in m.names for m in equals)]
    return Named(tuple(common)) if common or not joined else Named(tie=True)


def _most_special(tokens: Sequence[str], given: Sequence[Mention]) -> int:
    """The index of the name that decides: of a generic one, a special one in its sentence."""
    first = given[0]
    if first.names[0] in data.GENERIC:
        for index, other in enumerate(given):
            if not _SENTENCE_ENDS.isdisjoint(tokens[first.end : other.start]):
                break
            if other.names[0] not in data.GENERIC:
                return index
    return 0


_AND = frozenset(("or", "and", "/", "und", "oder", "et", "ou", "y", "o", "vs", "versus"))
_BETWEEN = frozenset(("a", "an", "the", "also", "either", "both", "my", "some")) | data.MODIFIERS


def _equals(tokens: Sequence[str], given: Sequence[Mention]) -> tuple[list[Mention], bool]:
    """The names of a list from its first on, and whether any two are joined by "or" or "and".

    A list of commas alone has one name, its first.
    """
    chain, joined = [given[0]], False
    for mention in given[1:]:
        between = tokens[chain[-1].end : mention.start]
        conjunction = any(token in _AND for token in between)
        if not all(token == "," or token in _AND or token in _BETWEEN for token in between):
            break
        if not conjunction and "," not in between:
            break
        chain.append(mention)
        joined = joined or conjunction
    return (chain, True) if joined else (chain[:1], False)


# Emoji


def _by_emoji(text: str, known: Lexicon) -> Named:
    for char in text:
        if char >= "\U0001f300":
            names = _emoji_names(char, known)
            if names:
                return Named(names)
    return Named()


def _emoji_names(char: str, known: Lexicon) -> Names:
    """The names of an animal's or a tree's emoji, by its Unicode name."""
    if not ("\U0001f330" <= char <= "\U0001f43f" or "\U0001f980" <= char <= "\U0001facf"):
        return ()
    name = unicodedata.name(char, "").lower()
    name = data.EMOJI.get(name, name).removesuffix(" face").removesuffix(" tree")
    return known.phrases.get((name.split()[-1],), ()) if name else ()
