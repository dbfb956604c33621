"""What an executor adds to a stage: milliseconds of one that does no work, one after another.

    python benchmarks/executors.py --executor ray

Without a running cluster, Ray and Dask start one on this machine; Ray listens on every address.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limen.backends import Needs, ServiceTerms
from limen.datasets.artifacts import Manifest
from limen.harness.executors import Shipping, ShippingExecutor, named_variables, open_executor
from limen.harness.stages import Stage, Store, Workspace, run_stage


@dataclass(frozen=True, kw_only=True)
class NoWork(Stage):
    """A stage that leaves an empty artifact."""

    kind = "no-work"
    number: int

    def identity(self) -> dict[str, object]:
        return {"number": self.number}

    def run(self, workspace: Workspace) -> Manifest:
        return {}


def seconds_each(stages: Sequence[NoWork], name: str, store: Store) -> float:
    """Seconds a stage, once a worker has started."""
    executor = open_executor(name)
    executor.capacity()
    how = Shipping(
        store=store,
        shared=True,
        retries=0,
        variables=named_variables(()),
        needs_of=lambda stage: Needs(cores=1),
    )
    shipping = ShippingExecutor(executor, how)
    try:
        shipping.submit(run_stage, stages[0], store.root, ServiceTerms()).result()
        began = time.perf_counter()
        for stage in stages[1:]:
            shipping.submit(run_stage, stage, store.root, ServiceTerms()).result()
        return (time.perf_counter() - began) / (len(stages) - 1)
    finally:
        shipping.shutdown()
        executor.close(stop=False)


def main() -> None:
    """Print the milliseconds of a stage through the executor, and without one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", default="ray")
    parser.add_argument("--stages", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder).resolve())
        store.open()
        count = given.stages + 1
        stages = [NoWork(label=str(number), number=number) for number in range(2 * count)]
        there = 1000 * seconds_each(stages[:count], given.executor, store)
        began = time.perf_counter()
        for stage in stages[count:]:
            run_stage(stage, store.root)
        here = 1000 * (time.perf_counter() - began) / count
    print(f"{given.executor}: {there:.1f} ms a stage; here {here:.1f}; added {there - here:.1f}")


if __name__ == "__main__":
    main()
