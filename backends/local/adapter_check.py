"""Whether an adapter from elsewhere fits the base model that it is put on."""

from pathlib import Path

from ...datasets.errors import BackendError, LimenError
from .adapters import WEIGHTS
from .libraries import CausalLM, library, one_line
from .loading import AdapterContext
from .memory import is_out_of_memory


def check_adapter(name: str, folder: Path, activate: AdapterContext) -> None:
    """Raise :class:`~limen.BackendError` for an adapter that does not fit its base model.

    PEFT leaves out weights that have no place, without an error: the model would answer as its
    base.
    """
    try:
        with activate() as model:
            lost = _without_place(folder, model)
    except LimenError:
        raise
    except (RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise _misfit(name, one_line(error)[:200]) from None
    if lost:
        raise _misfit(name, f"{lost[0]} has no place in it ({len(lost)} such weights)")


def _without_place(folder: Path, model: CausalLM) -> list[str]:
    """The names of an adapter's weights that the model with it does not have."""
    state = library("peft").get_peft_model_state_dict(model, adapter_name=model.active_adapter)
    with library("safetensors").safe_open(folder / WEIGHTS, framework="pt") as file:
        return sorted(set(file.keys()) - set(state))


def _misfit(name: str, why: str) -> BackendError:
    return BackendError(
        f"the adapter {name} does not fit its base model: {why}; name the model that it was "
        f"trained from, as in {name.partition('@')[0]}@BASE"
    )
