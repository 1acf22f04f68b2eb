"""Runs hybrid (attention + state-space) and Transformer language models.

    import hybridlm
    model = hybridlm.Model("SmolLM2-135M-Instruct.Q4_1.gguf")
    context = hybridlm.Context(model)
    for piece in context.generate("The capital of France is", max_tokens=20):
        print(piece, end="", flush=True)

The classes follow the C library's objects; docs/python.md is their guide, and
include/hybridlm/hybridlm.h the manual whose text help() shows. hybridlm.raw has the C
API as it is, hybridlm.lib the loaded library."""
from . import constants, errors, raw, structs
from ._adapter import Adapter
from ._batch import generate_ids
from ._chat import Message
from ._context import Context, Step
from ._encoding import Encoding
from ._file import FileTensor, ModelFile
from ._library import lib
from ._model import Model
from ._sampler import Sampler
from ._state import Cache, Pool, PoolUsage, Reuse
from ._stream import Completion, Stream
from ._tokenizer import TextStream, Tokenizer
from .constants import *
from .errors import *
from .structs import *

__version__ = bytes(lib.hlm_version()).decode("ascii")

__all__ = [
    "Adapter", "Cache", "Completion", "Context", "Encoding", "FileTensor", "Message", "Model", "ModelFile", "Pool", "PoolUsage", "Reuse", "Sampler", "Step", "Stream", "TextStream",
    "Tokenizer", "generate_ids", "lib", "raw",
]
__all__ += constants.__all__ + errors.__all__ + structs.__all__
