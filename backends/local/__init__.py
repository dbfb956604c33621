"""Open weights on this machine, through Transformers, PEFT and TRL (the extra ``limen[local]``)."""

from .backend import LocalBackend

__all__ = ["LocalBackend"]
