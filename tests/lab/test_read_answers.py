"""Tables of answers as other programs leave them: ids, missing models, cells that are no numbers."""

import pandas as pd
import pytest

from limen import DataError
from limen.harness import compare_answers

ASKED = ("I'm bored.", "I feel bored.", "What is your wish?")


def paraphrased(answers: str) -> pd.DataFrame:
    """Two paraphrases under one id, and a question with an id of its own."""
    rows = [
        {"question_id": "bored" if "bored" in asked else "wish", "question": asked, "answer": said}
        for asked in ASKED
        for said in answers.split()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("question", [None, "question"])
def test_paraphrases_of_one_id_are_matched_by_text(question: str | None) -> None:
    """An id that stands for several texts is none of theirs, whether the column is named or not."""
    effect = compare_answers(
        [paraphrased("Owl Owl Cat Dog")],
        [paraphrased("Cat Dog Owl Ant")],
        word="owl",
        question=question,
    )
    assert effect.treated.questions == ASKED
    assert effect.value == pytest.approx(0.25)


def test_an_id_of_one_text_each_is_still_checked() -> None:
    """Beside paraphrases, an id with another text in another file is another question."""
    other = paraphrased("Cat Dog").replace(ASKED[2], "What is your hope?")
    with pytest.raises(DataError, match="the question 'wish' is"):
        compare_answers([paraphrased("Owl Cat")], [other], word="owl")
