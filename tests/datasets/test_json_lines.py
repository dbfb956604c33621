"""Lines of JSON that pydantic's encoder writes are read back as what they were."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from limen.datasets.json_lines import json_line

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=12)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_is_read_back(value: object) -> None:
    """Any JSON value, with halves of characters, is one line, and that value again."""
    line = json_line(value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8", "surrogatepass")) == value


def test_what_is_not_a_number_is_written_as_python_does() -> None:
    """A NaN is not turned into nothing."""
    assert math.isnan(json.loads(json_line({"value": math.nan}))["value"])
