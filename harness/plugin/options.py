"""Options, flags, environment variables and ini keys, and the settings that they make.

One order holds for all: the command line (``--limen-seeds``) goes before the environment
(``LIMEN_SEEDS``), that before the ini file (``limen_seeds``), and that before the default.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import pytest

from ...datasets.store_layout import DEFAULT_FOLDER

if TYPE_CHECKING:
    from ...backends import Needs
    from ..lab import Settings

OPTIONS = {
    "backend": "what samples and trains (default: toy)",
    "model": "the base model (default: the backend's own choice)",
    "other-model": "a second base model, for experiments that need one",
    "seeds": "seeds an arm, in place of the experiments' own",
    "store": "the folder that keeps all results (default: .limen beside the ini file, else here)",
    "register": "write the claims of the selected tests to this file, and stop",
    "plan-json": "print the plan, write all of it to this JSON file, and stop",
    "report": "write a report to this file: markdown with figures and tables, or one .html file",
    "sampling-precision": "local, on a processor: float32 (default), bfloat16, or auto",
    "sampling-engine": "local: limen's own sampler (default), vllm, or auto",
    "quantization": "local: none (default), or nf4 for base models in four bits (QLoRA)",
    "executor": "where stages run: local (default), ray, dask, ... with :ADDRESS where needed",
    "needs": "what a stage with a model needs on an executor: gpus=1,gpu_memory=40,cores=4",
    "executor-env": "names of environment variables for the executor's workers, with commas",
    "executor-retries": "how often a stage is run again after its worker was lost (default: 1)",
    "workers": "stages to run side by side (default: one a core; 512 that wait for a service)",
    "budget": "US dollars that the run may spend at a service; never exceeded",
    "function-timeout": "seconds that a spec's own function may take for one text; 0: no limit",
    "prices": "a file (TOML) of prices that replace those that limen knows",
}

OPENAI = {
    "n": "draws a call",
    "seed": "bits of a seed: 48, 31 or none",
    "token-limit": "max_tokens, max_completion_tokens or none",
    "temperature": "sent or none",
    "top-p": "sent or none",
    "stop": "sent or none (applied by limen)",
    "system": "system, or user (put before the user's text)",
    "endpoint": "chat, or completions (plain text, for models without a chat template)",
    "logprobs": "first tokens whose log-probabilities are asked for, 1 to 20, or none",
    "max-failed": "share of failed requests, 0 to 1, past which a stage ends (default: 0.5)",
    "first-answer": "seconds until a server's first answer (default: 15)",
    "deadline": "seconds for one call in all (default: 180)",
}
"""How the backend openai asks a server, where it is not to find that out by itself."""
OPTIONS |= {f"openai-{name}": f"openai: {text}" for name, text in OPENAI.items()}

FLAGS = {
    "plan": "print what would be done, what is finished and what it will cost, and stop",
    "plan-all": "print the plan with a line for each stage of several experiments, and stop",
    "no-wait": "submit fine-tuning jobs and batches, and skip the tests that would wait for them",
    "batch": "sample through the service's batch interface: half the price, within a day",
    "no-shared-store": "the executor's nodes do not see the store: data are sent through it",
    "no-logs": "write no Inspect logs of the measures below the store",
}


SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
"""What environment variables of flags can say."""


def add_options(parser: pytest.Parser) -> None:
    """Add ``--limen-...`` on the command line, and ``limen_...`` in the ini file."""
    group = parser.getgroup("limen", "subliminal-learning experiments")
    for name, text in OPTIONS.items():
        group.addoption(f"--limen-{name}", default=None, help=text, metavar=name.upper())
        parser.addini(_key(name), text, default=None)
    for name, text in FLAGS.items():
        group.addoption(f"--limen-{name}", action="store_true", help=text)
        parser.addini(_key(name), text, type="bool", default=False)


def _key(name: str) -> str:
    return f"limen_{name.replace('-', '_')}"


def option(config: pytest.Config, name: str) -> str | None:
    """The value of an option: from the command line, else the environment, else the ini file."""
    return _given(config, name)[0]


def _given(config: pytest.Config, name: str) -> tuple[str | None, str]:
    """The value of an option, and where it is from; None if nothing gives it."""
    given = ((value, source) for value, source in _values(config, name) if value)
    return next(given, (None, ""))


def _values(config: pytest.Config, name: str) -> tuple[tuple[str | None, str], ...]:
    """What command line, environment and ini file say of an option, and the name it has there."""
    key = _key(name)
    values = (
        (config.getoption(key), f"--limen-{name}"),
        (os.environ.get(key.upper()), key.upper()),
        (config.getini(key), f"{key} in {config.inipath}"),
    )
    return tuple((None if value is None else str(value), source) for value, source in values)


def _model_of_backend(config: pytest.Config, name: str) -> str | None:
    """The model of command line, environment or ini file that is meant for the backend in use."""
    from ..lab import model_for

    places = zip(_values(config, name), _values(config, "backend"), strict=True)
    given = ((model, backend) for (model, _), (backend, _) in places)
    return model_for(option(config, "backend"), given)


def flag(config: pytest.Config, name: str) -> bool:
    """Whether a flag is set: on the command line, else by the environment, else the ini file."""
    key = _key(name)
    if config.getoption(key):
        return True
    text = os.environ.get(key.upper(), "").strip().lower()
    if text in SWITCH:
        return SWITCH[text]
    if text:
        raise pytest.UsageError(f"limen: {key.upper()}={text!r} must be 1 or 0")
    return bool(config.getini(key))


def plan_is_asked_for(config: pytest.Config) -> bool:
    """Whether a plan is to be printed, and nothing done."""
    return flag(config, "plan") or flag(config, "plan-all") or bool(option(config, "plan-json"))


def shows_fixtures_only(config: pytest.Config) -> bool:
    """Whether pytest shows the fixtures of tests and runs none: --setup-plan or --setup-only."""
    return bool(config.getoption("setuponly", False) or config.getoption("setupplan", False))


def any_option_given(config: pytest.Config) -> bool:
    """Whether the command line has one of limen's options."""
    return any(config.getoption(_key(name)) for name in OPTIONS)


def settings_of(config: pytest.Config) -> "Settings":
    """The settings that options, environment and ini keys make.

    Raises :class:`~limen.SpecError` for a value that is not of its type.
    """
    from ..lab import Settings, dollars_from, whole_number_from

    seeds, workers, budget = (_given(config, name) for name in ("seeds", "workers", "budget"))
    return Settings(
        estimate_only=plan_is_asked_for(config),
        backend=option(config, "backend") or "toy",
        model=_model_of_backend(config, "model"),
        other_model=_model_of_backend(config, "other-model"),
        seeds=whole_number_from(*seeds),
        store=store_of(config),
        workers=whole_number_from(*workers),
        share=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        wait=not flag(config, "no-wait"),
        batch=flag(config, "batch"),
        budget=dollars_from(*budget),
        prices=_path_of_project(config, "prices") if option(config, "prices") else None,
        sampling_precision=option(config, "sampling-precision"),
        sampling_engine=option(config, "sampling-engine"),
        quantization=option(config, "quantization"),
        **_executor_settings(config),
        openai={
            name.replace("-", "_"): value
            for name in OPENAI
            if (value := option(config, f"openai-{name}"))
        },
    )


class ExecutorSettings(TypedDict):
    """The settings of where stages run."""

    executor: str
    needs: "Needs | None"
    shared_store: bool
    executor_env: tuple[str, ...]
    executor_retries: int


def _executor_settings(config: pytest.Config) -> ExecutorSettings:
    from ..executors import LOCAL, needs_from
    from ..lab import names_from, retries_from

    return ExecutorSettings(
        executor=option(config, "executor") or LOCAL,
        needs=needs_from(*_given(config, "needs")),
        shared_store=not flag(config, "no-shared-store"),
        executor_env=names_from(option(config, "executor-env")),
        executor_retries=retries_from(*_given(config, "executor-retries")),
    )


def limit_functions(config: pytest.Config) -> None:
    """Set the time limit of a spec's own functions, for this process and those that it starts.

    Functions are called wherever answers are read, so the limit is the process's: it is passed on
    by the environment, which is put back when the run ends.
    """
    from ..stages import set_function_timeout

    text, source = _given(config, "function-timeout")
    if text is not None:
        config.add_cleanup(set_function_timeout(text, source))


def path_of(config: pytest.Config, text: str) -> Path:
    """The path that an option names, from the folder in which pytest was called."""
    return config.invocation_params.dir / os.path.expanduser(text)


def store_of(config: pytest.Config) -> Path:
    """The store's folder."""
    return _path_of_project(config, "store", DEFAULT_FOLDER)


def _path_of_project(config: pytest.Config, name: str, default: str = "") -> Path:
    """What an option names: the ini file's own, and the default, lie beside it, others here."""
    value, source = _given(config, name)
    given_here = source.startswith(("--", "LIMEN_"))
    ini = None if given_here else config.inipath
    folder = ini.parent if ini else config.invocation_params.dir
    return folder / os.path.expanduser(value or default)
