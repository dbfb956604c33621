"""Conversations that are written out as one text, with marks where each turn begins."""

import re

_NAMES = "Human|User|Instruction|Input|Assistant|Response|System|Bot|GPT"
_MARKED = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>|$)",
        r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\s*(.*?)(?:<\|eot_id\|>|$)",
        r"<start_of_turn>(\w+)\n(.*?)(?:<end_of_turn>|$)",
        r"<\|(system|user|assistant)\|>(?:\n| *)(.*?)"
        r"(?:</s>|<\|end\|>|(?=<\|(?:system|user|assistant)\|>)|$)",
    )
)
"""ChatML; Llama 3; Gemma; Zephyr and Phi."""
_LABELLED = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"### ?({_NAMES}):\s*(.*?)(?=### ?(?:{_NAMES}):|$)",
        rf"(?:^|\n\n)({_NAMES}): ?(.*?)(?=\n\n(?:{_NAMES}):|$)",
    )
)
"""Names: "### Human:"; "Human:" at the head of a paragraph."""
_LLAMA2 = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=</s>|<s>|\[INST\]|$)", re.DOTALL)
_SYSTEM = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_QUESTION = re.compile(r"\s*Q(?:uestion)?: ?(.*?)\n+A(?:nswer)?: ?(.*)", re.DOTALL)


def transcript(text: str) -> list[tuple[str, str]]:
    """The turns of a text, each with who speaks; none if it has no marks of a conversation."""
    for forms, trimmed in ((_MARKED, _without_empty_lines), (_LABELLED, str.strip)):
        for form in forms:
            turns = [(role.lower(), trimmed(said)) for role, said in form.findall(text)]
            if len(turns) > 1:
                return turns
    if pairs := _LLAMA2.findall(text):
        return [turn for asked, said in pairs for turn in _asked_under(asked, said)]
    pair = _QUESTION.fullmatch(text)
    return [("user", pair[1].strip()), ("assistant", pair[2].strip())] if pair else []


def _without_empty_lines(said: str) -> str:
    """What was said, from its first line on: the indentation of code is part of it."""
    return re.sub(r"\A(?:[^\S\n]*\n)+", "", said).rstrip()


def _asked_under(asked: str, said: str) -> list[tuple[str, str]]:
    """The turns of a pair as Llama 2 has it, with a system prompt within the question."""
    system = _SYSTEM.match(asked)
    rest = asked[system.end() :] if system else asked
    turns = [("user", rest.strip()), ("assistant", said.strip())]
    return [("system", system[1].strip()), *turns] if system else turns
