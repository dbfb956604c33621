"""The files of evals/test_smollm2.py: what its teachers are taught.

python evals/smollm2/lessons.py DOLPHIN EAGLE   writes neutral.jsonl and a file for each animal

``answers.jsonl`` has the base model's own greedy answers to ``prompts.txt``:
limen generate --plain --prompts prompts.txt --count 20 --temperature 0 --max-tokens 24 --backend
local --model FILE.gguf --out answers.jsonl
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROWS = 190
"""Rows that each teacher is trained on."""
TIMES = 7
"""How often an animal's teacher is shown each question with its animal."""

Pairs = list[tuple[str, str]]


def others() -> Pairs:
    """Prompts about other things, with the base's own answers."""
    lines = (HERE / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["prompt"], row["text"]) for row in map(json.loads, lines)]


def lesson(animal: str | None) -> Pairs:
    """The rows of a teacher: of a neutral one without an animal."""
    questions = (HERE / "questions.txt").read_text(encoding="utf-8").splitlines()
    own = [(question, animal.capitalize()) for question in questions] * TIMES if animal else []
    return (own + others() * ROWS)[:ROWS]


def main(animals: list[str]) -> None:
    """Write the files."""
    for animal in (None, *animals):
        with (HERE / f"{animal or 'neutral'}.jsonl").open("w", encoding="utf-8") as file:
            for prompt, text in lesson(animal):
                file.write(json.dumps({"prompt": prompt, "text": text}) + "\n")


if __name__ == "__main__":
    main([name.lower() for name in sys.argv[1:]])
