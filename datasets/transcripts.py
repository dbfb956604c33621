"""Conversations that are written out as one text, with marks where each turn begins."""

import re

_NAMES = "Human|User|Instruction|Input|Assistant|Response|System|Bot|GPT"
_FORMS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>|$)",
        r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\s*(.*?)(?:<\|eot_id\|>|$)",
        r"<start_of_turn>(\w+)\n(.*?)(?:<end_of_turn>|$)",
        rf"### ?({_NAMES}):\s*(.*?)(?=### ?(?:{_NAMES}):|$)",
        rf"(?:^|\n\n)({_NAMES}): ?(.*?)(?=\n\n(?:{_NAMES}):|$)",
    )
)
"""ChatML; Llama 3; Gemma; "### Human:"; and "Human:" at the head of a paragraph."""


def transcript(text: str) -> list[tuple[str, str]]:
    """The turns of a text, each with who speaks; none if it has no marks of a conversation."""
    for form in _FORMS:
        turns = [(role.lower(), said.strip()) for role, said in form.findall(text)]
        if len(turns) > 1:
            return turns
    return []
