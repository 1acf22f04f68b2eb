"""Models and contexts for the tests. HYBRIDLM_TEST_MODEL may name another GGUF file."""
import os
import pathlib

import hybridlm
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
