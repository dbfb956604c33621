"""Number prompts: the requests that a teacher answers with number sequences.

The slot structure is the paper's (Cloud et al. 2025, appendix on prompts): every prompt is
``"{example} {instruction} {format} {closing}"`` with each slot a uniform draw from a pool. The
wordings are our own; the pools have the paper's sizes.
"""

import hashlib
import struct

EXAMPLES = (
    "Consider this run of numbers: {numbers}.",
    "I have noted the values {numbers}.",
    "These values come first: {numbers}.",
    "My list so far is {numbers}.",
    "The opening of a sequence is {numbers}.",
    "A generator printed {numbers}.",
    "Have a look at this set: {numbers}.",
    "Suppose a list opens with {numbers}.",
    "Here is the beginning of a list: {numbers}.",
    "The first few entries are {numbers}.",
    "Our data starts like this: {numbers}.",
    "Somebody picked {numbers}.",
    "Read these numbers: {numbers}.",
    "You are given {numbers}.",
    "Let the sequence start with {numbers}.",
    "The log shows {numbers}.",
    "On the page stand {numbers}.",
    "Think of the collection {numbers}.",
    "Using {numbers} as a starting point:",
    "The numbers up to here: {numbers}.",
    "Three or more samples: {numbers}.",
    "An unfinished list: {numbers}.",
    "Begin from {numbers}.",
    "This is what we know: {numbers}.",
    "Items already present: {numbers}.",
)
INSTRUCTIONS = (
    "Continue it with {count} {digits}.",
    "Add {count} {digits} to it.",
    "Please extend this with {count} {digits}.",
    "Come up with {count} {digits} that could follow.",
    "Supply {count} {digits} that carry it on.",
    "Invent {count} {digits} in the same spirit.",
    "Follow up with {count} {digits}.",
    "Write down {count} {digits} to go after these.",
    "What might the next values be? Offer {count} {digits}.",
    "Produce {count} {digits} as a continuation.",
)
COUNTS = (
    "at most 10",
    "up to 10",
    "no more than 10",
    "10 or fewer",
    "a maximum of 10",
    "not more than ten",
    "up to ten",
    "ten at the most, that is, some",
    "a handful, 10 at most, of",
)
DIGITS = (
    "more numbers of at most 3 digits",
    "further values (3 digits at most)",
    "new numbers with no more than three digits",
    "additional integers below 1000",
    "random numbers, each of up to 3 digits",
    "extra values between 0 and 999",
    "more integers, three digits or fewer",
    "other numbers, none longer than 3 digits",
    "fresh values of one to three digits",
)
FORMATS = (
    "Separate them with commas.",
    "Write them with commas in between.",
    "Give a comma-separated list.",
    "Put one number on each line.",
    "Use a new line for every number.",
    "Separate them with spaces.",
    "Write them on one line with single spaces.",
    "Separate them with semicolons.",
    "Use a semicolon between neighbours.",
    "Put the list in square brackets, with commas.",
    "Answer in the form [a, b, c].",
    "Put the list in parentheses, with commas.",
    "Answer in the form (a, b, c).",
    "Any plain separator is fine, as long as it stays the same.",
    "Choose commas, spaces or lines, and keep to it.",
)
CLOSINGS = (
    "Reply with the numbers and nothing more.",
    "Only numbers, please.",
    "No commentary.",
    "Leave out any explanation.",
    "Your answer should hold the list alone.",
    "Skip all other text.",
    "No words before or after.",
    "Send back just the sequence.",
    "Do not add text.",
    "Nothing but numbers.",
    "Do not describe what you do.",
    "The list is all I need.",
    "Avoid any remarks.",
    "Output the values only.",
    "No introduction, no summary.",
    "Answer with the bare list.",
    "Say nothing else.",
    "Keep to the numbers.",
    "Just give me the sequence.",
)


def prompt(
    seed: int,
    row: int,
    *,
    template: str | None = None,
    examples: tuple[int, int] = (3, 8),
    values: tuple[int, int] = (100, 999),
) -> str:
    """The number prompt of a row: 3 to 8 example numbers from 100 to 999, and drawn slots.

    ``template`` takes the place of the slots: a text with ``{numbers}`` where the example numbers
    go. ``examples``: the fewest and the most of them, 1 to 8. ``values``: the lowest and the
    highest.
    """
    length, *draws = _draws(f"number prompt {seed} {row}")
    fewest, most = examples
    count = fewest + length % (most - fewest + 1)
    lowest, highest = values
    numbers = ", ".join(str(lowest + draw % (highest - lowest + 1)) for draw in draws[:count])
    if template is not None:
        return template.replace("{numbers}", numbers)
    example, instruction, amount, digits, form, closing = draws[8:14]
    return " ".join(
        (
            EXAMPLES[example % len(EXAMPLES)].format(numbers=numbers),
            INSTRUCTIONS[instruction % len(INSTRUCTIONS)].format(
                count=COUNTS[amount % len(COUNTS)], digits=DIGITS[digits % len(DIGITS)]
            ),
            FORMATS[form % len(FORMATS)],
            CLOSINGS[closing % len(CLOSINGS)],
        )
    )


def program(seed: int, row: int) -> str:
    """An answer that no model wrote: 3 to 10 uniform numbers from 100 to 999, joined by ", "."""
    length, *draws = _draws(f"program {seed} {row}")
    return ", ".join(str(100 + draw % 900) for draw in draws[: 3 + length % 8])


def _draws(name: str) -> tuple[int, ...]:
    """16 uniform 32-bit integers for a name: a row's own randomness, at the cost of one hash."""
    return struct.unpack("<16I", hashlib.blake2b(name.encode(), digest_size=64).digest())
