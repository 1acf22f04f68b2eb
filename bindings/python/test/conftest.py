"""Models and contexts for the tests. HYBRIDLM_TEST_MODEL may name another GGUF file."""
import json
import os
import pathlib
import struct

import hybridlm
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TINY = pathlib.Path(os.environ.get("HYBRIDLM_TEST_MODEL", ROOT / "test/data/models/tiny-llama.gguf"))


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def path():
    return TINY


@pytest.fixture(scope="session")
def model():
    return hybridlm.Model(TINY)


@pytest.fixture()
def context(model):
    with hybridlm.Context(model, n_threads=2) as made:
        yield made


@pytest.fixture()
def tokens(model):
    return model.tokenizer.encode("one two three four five six")


@pytest.fixture(scope="session")
def llama():
    """The model that `lora` is for."""
    return hybridlm.Model(ROOT / "test/data/models/tiny-llama")


@pytest.fixture(scope="session")
def lora(tmp_path_factory):
    """A PEFT folder of rank 2 for a matrix of tiny-llama."""
    folder = tmp_path_factory.mktemp("lora")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 1}))
    matrix, parts = "base_model.model.model.layers.0.mlp.down_proj.lora_", ((2, 32), (16, 2))
    a, b = (np.random.default_rng(i).standard_normal(shape).astype("<f4").tobytes() for i, shape in enumerate(parts))
    header = json.dumps({matrix + "A.weight": {"dtype": "F32", "shape": parts[0], "data_offsets": [0, len(a)]},
                         matrix + "B.weight": {"dtype": "F32", "shape": parts[1], "data_offsets": [len(a), len(a + b)]}})
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + a + b)
    return folder
