#!/usr/bin/env python3
"""The models of test/data/models, and of any folder like it: the one place that tests have them from. A test that
leaves some out says in its meson.build why.

  models.py FOLDER           prints all: folders with a config.json or a GGUF file in them, and GGUF files
  models.py FOLDER --each    of each architecture the smallest that makes text, if there is one
"""
import json
import pathlib
import struct
import sys


def weights(model):
    """The GGUF file of a model; None for a Hugging Face folder."""
    found = [model] if model.is_file() else sorted(model.glob("*.gguf"))
    return found[0] if found else None


def every(folder):
    """Adapters lie in folders, too, and are no models."""
    return sorted(p for p in folder.iterdir() if p.suffix == ".gguf" or (p / "config.json").is_file() or list(p.glob("*.gguf")))


def architecture(model):
    """Its container, and the name in it."""
    gguf = weights(model)
    if not gguf:
        return "folder", json.loads((model / "config.json").read_text())["model_type"]
    raw = gguf.read_bytes()
    at = raw.index(b"general.architecture") + len(b"general.architecture") + 4
    return "gguf", raw[at + 8:at + 8 + struct.unpack_from("<Q", raw, at)[0]].decode()


def makes_text(model):
    return weights(model) is not None or "CausalLM" in json.loads((model / "config.json").read_text()).get("architectures", [""])[0]


def size(model):
    return sum(p.stat().st_size for p in (model.iterdir() if model.is_dir() else [model]) if not p.name.startswith("golden"))


def each(folder):
    found = {}
    for model in sorted(every(folder), key=lambda m: (not makes_text(m), size(m), m.name)):
        found.setdefault(architecture(model), model)
    return sorted(found.values())


def main():
    folder = pathlib.Path(sys.argv[1])
    print(*(each if sys.argv[2:] == ["--each"] else every)(folder), sep="\n")


if __name__ == "__main__":
    main()
