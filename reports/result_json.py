"""An experiment's results as JSON text."""

from .model import Result


def result_to_json(result: Result) -> str:
    """The result as JSON text, to travel between processes. Raises nothing.

    Args:
        result: An experiment's results.

    Examples:
        >>> text = reports.result_to_json(run.results[0])
    """
    from pydantic import TypeAdapter

    return TypeAdapter(Result).dump_json(result).decode()


def result_from_json(text: str) -> Result:
    """The result that :func:`result_to_json` made this text of.

    Args:
        text: What :func:`result_to_json` gave.

    Raises:
        ValueError: A text that is none (pydantic's ``ValidationError``).

    Examples:
        >>> result = reports.result_from_json(reports.result_to_json(run.results[0]))
    """
    from pydantic import TypeAdapter

    return TypeAdapter(Result).validate_json(text)
