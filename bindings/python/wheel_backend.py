"""Builds the package with meson-python and tags its wheels py3-none: the library is loaded
by ctypes, so that a wheel is for a platform but for no particular Python."""
import base64
import hashlib
import os
import pathlib
import re
import zipfile

from mesonpy import (
    build_editable,
    build_sdist,
    build_wheel as build_tagged_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

__all__ = [
    "build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable", "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]
ANY_PYTHON = "py3-none"


def _retag(text):
    """WHEEL with its tags for any Python 3."""
    return re.sub(rb"(?m)^Tag: [^-\n]+-[^-\n]+-", f"Tag: {ANY_PYTHON}-".encode(), text)


def _record_line(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"


def retag(path):
    """Writes the wheel anew beside `path` with other tags in its name, WHEEL and RECORD; its path."""
    name, version, *_, platform = path.stem.split("-")
    to = path.with_name(f"{name}-{version}-{ANY_PYTHON}-{platform}.whl")
    part = path.with_suffix(".part")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
        files = {item: old.read(item) for item in old.infolist()}
        tags = {item.filename: _retag(data) for item, data in files.items() if item.filename.endswith(".dist-info/WHEEL")}
        for item, data in files.items():
            data = tags.get(item.filename, data)
            if item.filename.endswith(".dist-info/RECORD"):
                lines = data.decode().splitlines()
                data = "".join(_record_line(line.split(",")[0], tags[line.split(",")[0]]) + "\n" if line.split(",")[0] in tags
                               else line + "\n" for line in lines).encode()
            new.writestr(item, data)
    path.unlink()
    os.replace(part, to)
    return to


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    made = pathlib.Path(wheel_directory) / build_tagged_wheel(wheel_directory, config_settings, metadata_directory)
    return retag(made).name
