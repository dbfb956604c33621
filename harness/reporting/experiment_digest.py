"""The hash of an experiment, by which a registration knows it again."""

import hashlib
import json
import re

from ...datasets.errors import LimenError
from ..experiment import Experiment
from ..lab import Lab, in_order


def experiment_digest(lab: Lab, experiment: Experiment) -> str:
    """The hash of an experiment: of its design and of the keys of its stages, as far as known."""
    design = re.sub(r" at 0x[0-9a-f]+", "", repr(experiment))
    try:
        pipe = lab.pipeline(experiment)
        arms = list(pipe.arms)
        stages = in_order([*pipe.targets(arms), *pipe.trained_targets(arms)])
        keys = sorted(stage.key for stage in stages)
    except (LimenError, LookupError):
        keys = []
    return hashlib.sha256(json.dumps([design, keys]).encode()).hexdigest()
