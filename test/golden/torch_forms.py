#!/usr/bin/env python3
"""Folders' safetensors rewritten as torch.save writes them, without PyTorch, and then golden on them.

  test/golden/torch_forms.py GOLDEN FOLDER...

Classes of the names that PyTorch has are pickled by Python itself. Each folder is written as a zip file, in the form
before PyTorch 1.6, in shards of protocol 4, and those of a form that Meta and Mistral release as they do.
"""
import collections
import io
import json
import pathlib
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import types
import zipfile

STORAGES = {"F32": ("FloatStorage", 4), "F16": ("HalfStorage", 2), "BF16": ("BFloat16Storage", 2), "F64": ("DoubleStorage", 8),
            "I64": ("LongStorage", 8), "I32": ("IntStorage", 4), "U8": ("ByteStorage", 1)}

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
torch._utils = utils
sys.modules.update({"torch": torch, "torch._utils": utils})
for storage_class, _ in STORAGES.values():
    setattr(torch, storage_class, type(storage_class, (), {"__module__": "torch"}))


def _rebuild_tensor_v2():
    """Only its name is written."""


_rebuild_tensor_v2.__module__ = "torch._utils"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2


class Storage:
    def __init__(self, dtype, key, data):
        self.name, self.size = STORAGES[dtype]
        self.key, self.data = key, data


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides, n = [], 1
        for size in reversed(self.shape):
            strides.insert(0, n)
            n *= size
        return utils._rebuild_tensor_v2, (self.storage, 0, tuple(self.shape), tuple(strides), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        return "storage", getattr(torch, obj.name), obj.key, "cpu", len(obj.data) // obj.size


def pickled(state, protocol):
    out = io.BytesIO()
    Pickler(out, protocol).dump(state)
    return out.getvalue()


def tensors_of(path):
    """(name, dtype, shape, bytes) of a safetensors file."""
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    for name, entry in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            yield name, entry["dtype"], entry["shape"], raw[8 + n + begin:8 + n + end]


def save(path, tensors, protocol=2, old=False):
    """What torch.save writes of a state dict."""
    state, storages = collections.OrderedDict(), []
    for name, dtype, shape, data in tensors:
        storages.append(Storage(dtype, str(len(storages)), data))
        state[name] = Tensor(storages[-1], shape)
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    if old:
        system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
        keys = sorted(s.key for s in storages)
        with path.open("wb") as f:
            for part in (0x1950A86A20F9469CFC6C, 1001, system):
                f.write(pickle.dumps(part, 2))
            f.write(pickled(state, protocol) + pickle.dumps(keys, 2))
            for s in (storages[int(key)] for key in keys):
                f.write(struct.pack("<q", len(s.data) // s.size) + s.data)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        z.writestr("archive/data.pkl", pickled(state, protocol))
        z.writestr("archive/byteorder", "little")
        for s in storages:
            z.writestr("archive/data/" + s.key, s.data)
        z.writestr("archive/version", "3\n")


def save_shards(folder, tensors, n):
    names = [f"pytorch_model-{i + 1:05}-of-{n:05}.bin" for i in range(n)]
    for i, name in enumerate(names):
        save(folder / name, tensors[i::n], protocol=4)
    index = {"metadata": {}, "weight_map": {t[0]: names[i % n] for i, t in enumerate(tensors)}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


# A release's names, and those of Hugging Face's that end so.
NAMES = [("tok_embeddings", "model.embed_tokens"), ("output", "lm_head"), ("attention_norm", "input_layernorm"),
         ("ffn_norm", "post_attention_layernorm"), ("norm", "model.norm"), ("attention.wq", "self_attn.q_proj"),
         ("attention.wk", "self_attn.k_proj"), ("attention.wv", "self_attn.v_proj"), ("attention.wo", "self_attn.o_proj"),
         ("feed_forward.w1", "mlp.gate_proj"), ("feed_forward.w2", "mlp.down_proj"), ("feed_forward.w3", "mlp.up_proj"),
         ("feed_forward", "block_sparse_moe"), ("layers", "model.layers")]
SETTINGS = [("dim", "hidden_size"), ("n_layers", "num_hidden_layers"), ("n_heads", "num_attention_heads"),
            ("n_kv_heads", "num_key_value_heads"), ("head_dim", "head_dim"), ("hidden_dim", "intermediate_size"),
            ("norm_eps", "rms_norm_eps"), ("sliding_window", "sliding_window")]


def neighbours(data, rows, heads):
    """Rows i and i + half of each head become neighbours."""
    size, head = len(data) // rows, rows // heads
    order = [h * head + i // 2 + i % 2 * (head // 2) for h in range(heads) for i in range(head)]
    return b"".join(data[r * size:(r + 1) * size] for r in order)


def released(tensors, config):
    for name, dtype, shape, data in tensors:
        for part, heads in (("q_proj", "num_attention_heads"), ("k_proj", "num_key_value_heads")):
            if part in name:
                data = neighbours(data, shape[0], config[heads])
        for own, usual in NAMES:
            name = name.replace(usual, own)
        yield name, dtype, shape, data


def save_released(folder, tensors, config):
    """Settings in params.json where that can say them."""
    own = list(released(tensors, config))
    if config["model_type"] == "llama":
        save(folder / "consolidated.00.pth", own)
        return
    (folder / "config.json").unlink()
    params = {name: config[usual] for name, usual in SETTINGS if config.get(usual) is not None}
    params["rope_theta"] = config.get("rope_theta") or config["rope_parameters"]["rope_theta"]
    params["vocab_size"] = -1
    if "num_local_experts" in config:
        params["moe"] = {"num_experts": config["num_local_experts"], "num_experts_per_tok": config["num_experts_per_tok"]}
        save(folder / "consolidated.00.pth", own)
    else:
        header, at = {}, 0
        for name, dtype, shape, data in own:
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
            at += len(data)
        text = json.dumps(header).encode()
        (folder / "consolidated.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(t[3] for t in own))
    (folder / "params.json").write_text(json.dumps(params))


def write_forms(model, out):
    tensors = list(tensors_of(model / "model.safetensors"))
    config = json.loads((model / "config.json").read_text())
    for form in ("zip", "old", "shards") + (("released",) if config["model_type"] in ("llama", "mistral", "mixtral") else ()):
        folder = out / f"{model.name}-{form}"
        shutil.copytree(model, folder, ignore=shutil.ignore_patterns("model.safetensors"))
        if form == "shards":
            save_shards(folder, tensors, 3)
        elif form == "released":
            save_released(folder, tensors, config)
        else:
            save(folder / "pytorch_model.bin", tensors, old=form == "old")
        yield folder


def write_adapter(adapter, out):
    """Its model is found beside its folder's."""
    if not (out / "models").exists():
        (out / "models").symlink_to(adapter.resolve().parent.parent / "models")
    folder = out / "adapters" / adapter.name
    shutil.copytree(adapter, folder, ignore=shutil.ignore_patterns("adapter_model.safetensors"))
    save(folder / "adapter_model.bin", list(tensors_of(adapter / "adapter_model.safetensors")))
    yield folder


def write(source, out):
    return (write_adapter if (source / "adapter_config.json").exists() else write_forms)(source, out)


def main():
    golden, *models = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        folders = [folder for model in models for folder in write(pathlib.Path(model), pathlib.Path(out))]
        sys.exit(subprocess.run([golden, *folders], check=False).returncode)


if __name__ == "__main__":
    main()
