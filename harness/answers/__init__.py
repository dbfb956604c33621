"""Answers from anywhere (files of any common form, data frames, Inspect logs), compared as arms."""

from .columns import AnswerColumns
from .compare import AnswerComparison, compare_answers, compare_models, read_models
from .copies import refuse_copies
from .models import AnsweredModel, models_of
from .question_ids import QuestionIds
from .sources import AnswerSource, rows_of, source_name

__all__ = [
    "AnswerColumns",
    "AnswerComparison",
    "AnswerSource",
    "AnsweredModel",
    "QuestionIds",
    "compare_answers",
    "compare_models",
    "models_of",
    "read_models",
    "refuse_copies",
    "rows_of",
    "source_name",
]
