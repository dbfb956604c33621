"""Where stages run past this machine's processes: Ray, Dask, and what other packages register.

An executor is opened by name (``--limen-executor``); its library is imported only then.
"""

from .base import (
    NODE_VARIABLE,
    ExecutorFactory,
    LostClusterError,
    LostWorkerError,
    MessageSender,
    MessagingExecutor,
    Node,
    StageExecutor,
    StageMessage,
)
from .discovery import LOCAL, check_executor, executor_names, open_executor
from .placement import check_fits, largest, needs_from, placed
from .probe import NodeFacts, other_versions, probe_nodes
from .remote_stage import RemoteStage
from .shipping import Shipping, ShippingExecutor
from .variables import named_variables

__all__ = [
    "LOCAL",
    "NODE_VARIABLE",
    "ExecutorFactory",
    "LostClusterError",
    "LostWorkerError",
    "MessageSender",
    "MessagingExecutor",
    "Node",
    "NodeFacts",
    "RemoteStage",
    "Shipping",
    "ShippingExecutor",
    "StageExecutor",
    "StageMessage",
    "check_executor",
    "check_fits",
    "executor_names",
    "largest",
    "named_variables",
    "needs_from",
    "open_executor",
    "other_versions",
    "placed",
    "probe_nodes",
]
