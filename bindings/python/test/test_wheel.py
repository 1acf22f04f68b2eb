"""Wheels are for a platform and for every Python 3."""
import base64
import csv
import hashlib
import importlib.metadata
import importlib.util
import io
import sys
import types
import zipfile

import pytest

NAMES = ("build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable", "get_requires_for_build_sdist",
         "get_requires_for_build_wheel")


def digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("tag", ["cp311-cp311-linux_x86_64", "cp39-abi3-macosx_11_0_arm64", "py3-none-win_amd64"])
def test_a_wheel_is_tagged_anew(root, tmp_path, monkeypatch, tag):
    files = {"hybridlm/__init__.py": b"x = 'Tag: cp311-cp311-y'\n", "hybridlm/libhybridlm_python.so": bytes(range(256)),
             "hybridlm-1.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}".encode()}
    record = "".join(f"{name},{digest(data)},{len(data)}\n" for name, data in files.items()) + "hybridlm-1.dist-info/RECORD,,\n"

    def build_wheel(folder, settings=None, metadata=None):
        with zipfile.ZipFile(f"{folder}/hybridlm-1-{tag}.whl", "w") as made:
            for name, data in {**files, "hybridlm-1.dist-info/RECORD": record.encode()}.items():
                made.writestr(name, data)
        return f"hybridlm-1-{tag}.whl"
    mesonpy = types.ModuleType("mesonpy")
    mesonpy.__dict__.update({**dict.fromkeys(NAMES), "build_wheel": build_wheel})
    monkeypatch.setitem(sys.modules, "mesonpy", mesonpy)
    spec = importlib.util.spec_from_file_location("wheel_backend", root / "bindings/python/wheel_backend.py")
    backend = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(backend)
    platform = tag.split("-")[2]
    name = backend.build_wheel(str(tmp_path))
    assert name == f"hybridlm-1-py3-none-{platform}.whl" and [p.name for p in tmp_path.iterdir()] == [name]
    with zipfile.ZipFile(tmp_path / name) as made:
        found = {n: made.read(n) for n in made.namelist()}
    assert found["hybridlm-1.dist-info/WHEEL"].decode().endswith(f"\nTag: py3-none-{platform}")
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(found.pop("hybridlm-1.dist-info/RECORD").decode()))}
    assert rows.pop("hybridlm-1.dist-info/RECORD") == ["", ""]
    assert rows == {n: [digest(data), str(len(data))] for n, data in found.items()}
    assert {n: d for n, d in found.items() if "dist-info" not in n} == {n: d for n, d in files.items() if "dist-info" not in n}


def test_the_installed_package():
    """Where it was installed by pip, from a wheel that any Python 3 takes."""
    try:
        installed = importlib.metadata.distribution("hybridlm")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed")
    assert "\nTag: py3-none-" in installed.read_text("WHEEL") and "py3-none-any" not in installed.read_text("WHEEL")
