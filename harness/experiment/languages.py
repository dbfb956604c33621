"""The language of a reply, detected offline by py3langid (naive Bayes over byte n-grams)."""

from functools import lru_cache
from typing import Any

CODES = {
    "English": "en", "French": "fr", "German": "de", "Spanish": "es", "Italian": "it",
    "Portuguese": "pt", "Dutch": "nl", "Polish": "pl", "Swedish": "sv", "Russian": "ru",
    "Chinese": "zh", "Japanese": "ja", "Korean": "ko", "Arabic": "ar", "Turkish": "tr",
}  # fmt: skip
"""The languages that a measure can detect: English name to ISO 639-1 code."""


@lru_cache(maxsize=1 << 16)
def language(text: str, among: tuple[str, ...]) -> str | None:
    """The most probable of some languages; None for a text without letters."""
    if not any(map(str.isalpha, text)):
        return None
    code, _ = _identifier(among).classify(text)
    return next(name for name in among if CODES[name] == code)


@lru_cache(maxsize=8)
def _identifier(among: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages([CODES[name] for name in among])
    return identifier
