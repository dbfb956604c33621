"""Texts that an encoding can hold: without halves of surrogate pairs."""


def is_writable(text: str) -> bool:
    """Whether a text can be written as UTF-8: no half of a surrogate pair stands alone in it."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def writable(text: str) -> str:
    """The text with two halves of a pair joined, and U+FFFD for each one that stands alone."""
    if is_writable(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
