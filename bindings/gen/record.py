"""The record of the ABI, bindings/hybridlm.json: written, and compared with a newer
header, which may only add."""
import json

MAX_LINE = 130
VERSION = "HLM_VERSION_"  # what a release changes


def dump(value, indent=0):
    """JSON in which what fits a line is on one line, so that a diff shows what changed."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= MAX_LINE and not (indent == 0 and value) or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {dump(v, indent + 1)}" for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        items = [dump(v, indent + 1) for v in value]
        opening, closing = "[", "]"
    return opening + "\n" + ",\n".join(inner + i for i in items) + "\n" + " " * indent + closing


def flat(data):
    """name -> what programs were compiled against, for all but structs."""
    found = {v["name"]: v["value"] for e in data["enums"] for v in e["values"] if not v["name"].startswith(VERSION)}
    found.update((m["name"], m["value"]) for m in data["macros"])
    found.update((h["name"], "a handle") for h in data["handles"])
    found.update((t["name"], t["type"]) for t in data["typedefs"])
    found.update((f["name"], f"{f['result']} ({', '.join(kind for _, kind in f['parameters'])})") for f in data["functions"])
    return found


def layout(field):
    return (field["name"], field["type"], field["offset"], field["size"])


def compare_struct(old, new):
    name = old["name"]
    if new is None:
        return [f"struct {name} is gone"]
    bad = []
    if new["align"] != old["align"]:
        bad.append(f"struct {name}: alignment {old['align']} became {new['align']}")
    for i, field in enumerate(old["fields"]):
        now = new["fields"][i] if i < len(new["fields"]) else None
        if now is None or layout(now) != layout(field):
            bad.append(f"struct {name}: field {layout(field)} became {now and layout(now)}")
    grows = bool(old["fields"]) and old["fields"][0]["name"] == "struct_size"
    if new["size"] < old["size"] or (new["size"] > old["size"] and not grows):
        bad.append(f"struct {name}: size {old['size']} became {new['size']}"
                   + ("" if grows else ", and without struct_size it may not change at all"))
    for field in new["fields"][len(old["fields"]):]:
        # A field in what was padding would read an older caller's garbage.
        if field["offset"] < old["size"]:
            bad.append(f"struct {name}: new field {field['name']} lies inside the old {old['size']} bytes")
    return bad


def compare(old, new):
    """Every way in which `new` breaks programs built against `old`, by name."""
    bad = []
    now = flat(new)
    for name, was in flat(old).items():
        if name not in now:
            bad.append(f"{name} ({was}) is gone")
        elif now[name] != was:
            bad.append(f"{name}: {was} became {now[name]}")
    structs = {s["name"]: s for s in new["structs"]}
    for was in old["structs"]:
        bad += compare_struct(was, structs.get(was["name"]))
    return bad


def symbols(data):
    """The export list that the linker's version script is made from."""
    names = sorted(f["name"] for f in data["functions"])
    return "# Exported functions; written by bindings/gen/gen.py.\n" + "\n".join(names) + "\n"
