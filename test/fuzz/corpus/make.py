#!/usr/bin/env python3
"""Writes the first seeds of the corpora beside this file; the fuzzer found the others (named by their hash)."""
import io
import json
import pathlib
import re
import struct
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


def string(s):
    return struct.pack("<Q", len(s)) + s.encode()


def kv(key, kind, value):
    return string(key) + struct.pack("<I", kind) + value


def gguf(version, alignment):
    kvs = [
        kv("general.alignment", 4, struct.pack("<I", alignment)),
        kv("general.architecture", 8, string("llama")),
        kv("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + string("a") + string("") + string("bc")),
        kv("tokenizer.ggml.scores", 9, struct.pack("<IQ2f", 6, 2, 1.5, -1)),
        kv("x", 12, struct.pack("<d", 3)),
        kv("k", 10, struct.pack("<Q", 2**64 - 1)),
    ]
    table, data = b"", b""
    for name, dims, number, size in (("w", (32, 2), 2, 36), ("n", (4,), 0, 16), ("h", (3, 2, 2), 1, 24)):
        table += string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, len(data))
        data += bytes(range(size)) + bytes(-size % alignment)
    front = b"GGUF" + struct.pack("<IQQ", version, 3, len(kvs)) + b"".join(kvs) + table
    return front + bytes(-len(front) % alignment) + data


def folder(config, index, header, data):
    text = json.dumps(header)
    return json.dumps(config).encode() + b"\0" + (json.dumps(index).encode() if index else b"") + b"\0" + string(text) + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HEADER = {"a": entry("F32", [2, 2], 0, 16), "b": entry("BF16", [3], 16, 22), "__metadata__": {"format": "pt"}, "c": entry("I64", [], 24, 32),
          "d": entry("U8", [2], 22, 24)}
(HERE / "gguf" / "seed_v3").write_bytes(gguf(3, 32))
(HERE / "gguf" / "seed_v2").write_bytes(gguf(2, 8))
(HERE / "safetensors" / "seed_single").write_bytes(folder({"model_type": "llama"}, None, HEADER, bytes(range(32))))
(HERE / "safetensors" / "seed_index").write_bytes(
    folder({"x": [1.5, float("inf")]}, {"weight_map": {"a": "s", "b": "s"}}, HEADER, bytes(range(32))))


def text(s):
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def view(sizes, strides, first=0):
    def ints(v):
        return b"(" + b"".join(b"K" + bytes([x]) for x in v) + b"t"
    storage = b"((" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x10tQ"
    return (b"ctorch._utils\n_rebuild_tensor_v2\n" + storage + b"K" + bytes([first]) + ints(sizes) + ints(strides)
            + b"\x89ccollections\nOrderedDict\n)RtR")


PICKLE = (b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(" + text("w") + view([4, 4], [4, 1]) + text("b") + view([3], [1], 2)
          + text("p") + b"ctorch._utils\n_rebuild_parameter\n" + view([], []) + b"\x88h\x00)R\x87R" + text("n") + b"Nu}"
          + text("_metadata") + b"h\x00)Rsb.")
OLD = (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}" + text("little_endian") + b"\x88s." + PICKLE
       + b"]U\x010a." + struct.pack("<Q", 16) + bytes(range(64)))
ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as z:
    for member, inside in (("data.pkl", PICKLE), ("byteorder", b"little"), ("data/0", bytes(range(64)))):
        z.writestr(zipfile.ZipInfo("m/" + member), inside)
(HERE / "pickle").mkdir(exist_ok=True)
RELEASE = folder({"dim": 4, "n_layers": 1, "n_heads": 2, "multiple_of": 2, "vocab_size": -1}, None, {
    "layers.0.attention.wq.weight": entry("U8", [4, 4], 0, 16), "layers.0.attention.wk.weight": entry("BF16", [4, 2], 16, 32),
    "tok_embeddings.weight": entry("F32", [1, 4], 32, 48)}, bytes(range(48))).replace(b"\0", b"", 1)
for name, content in (("seed_release", RELEASE), ("seed_pickle", PICKLE), ("seed_old", OLD), ("seed_zip", ARCHIVE.getvalue()),
                      ("seed_state", b"\x80\x04}" + text("model") + b"}\x94" + text("w") + view([2, 2], [1, 2]) + b"ss."),
                      ("seed_system", b"cos\nsystem\n" + text("true") + b"\x85R.")):
    (HERE / "pickle" / name).write_bytes(content)


def varint(n):
    n &= 2**64 - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def piece(text, score, kind=1):
    return block(1, block(1, text) + varint(2 << 3 | 5) + struct.pack("<f", score) + number(3, kind))


def charsmap(pairs):
    """A double-array trie for single-byte keys: the root at 0, its children where their label is."""
    units, texts = [0] * 512, b""
    units[0] = 256 << 10
    for key, to in pairs:
        label = ord(key)  # the child's own value child lies at its offset
        units[256 ^ label] = label | 1 << 8 | 256 << 10
        units[256 ^ label ^ 256] = 1 << 31 | len(texts)
        texts += to.encode() + b"\0"
    units[0] = 256 << 10
    table = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(table)) + table + texts


def spm(kind, pieces, normalizer=b"", byte_fallback=False):
    front = [piece("<unk>", 0, 2), piece("<s>", 0, 3), piece("</s>", 0, 3)]
    if byte_fallback:
        front += [piece(f"<0x{i:02X}>", 0, 6) for i in range(256)]
    return b"".join(front + pieces) + block(2, number(3, kind) + number(35, byte_fallback)) + block(3, normalizer)


SPACE = "\u2581"
BPE = [piece(s, -i) for i, s in enumerate([SPACE + "a", "ab", SPACE + "ab", SPACE, "a", "b", "c"])]
MORE = [piece("<tool>", 0, 4), piece("bc", -9, 5)]
UNIGRAM = [piece(SPACE + "hello", -2), piece("hell", -3), piece(SPACE, -4), piece("o", -5), piece("h", -6), piece("e", -6), piece("l", -5)]
SEEDS = {
    "seed_bpe": (b"abc ab<tool> a<s>b\xc3\xa9 \0{}\0", spm(2, BPE + MORE, number(4, 0))),
    "seed_bpe_bytes": ("é a  b\0{\"legacy\": false, \"add_bos_token\": true}\0".encode(), spm(2, BPE, number(4, 0), True)),
    "seed_unigram": (b" hello  helloo x \0\0", spm(1, UNIGRAM)),
    "seed_charsmap": (b"Hello A\0{\"legacy\": false}\0", spm(1, UNIGRAM, block(2, charsmap([("H", "h"), ("A", " hell"), ("o", "")])))),
    "seed_plain_spaces": (b" a b \0{\"add_eos_token\": true}\0", spm(2, BPE, number(3, 1) + number(4, 1) + number(5, 0))),
    "seed_added": (b"ab <x> y <q> c\0" + json.dumps({"added_tokens_decoder": {
        "9": {"content": "<x>", "special": True, "lstrip": True}, "4": {"content": "<q>", "special": False, "normalized": True},
        "40": {"content": "y", "single_word": True}}, "eos_token": "<end>"}).encode() + b"\0", spm(2, BPE + MORE, number(3, 0))),
    "seed_bad_field": (b"a\0\0", spm(2, BPE)[:-9] + b"\x02\x00"),
}
(HERE / "sentencepiece").mkdir(exist_ok=True)
for name, (front, model) in SEEDS.items():
    (HERE / "sentencepiece" / name).write_bytes(front + model)


def messages(how, *texts):
    return bytes([how]) + b"\0".join(t.encode(errors="surrogatepass") if isinstance(t, str) else t for t in texts)


TOOL = {"type": "function", "function": {"name": "get_weather", "description": "of a <|im_start|>place", "parameters": {
    "type": "object", "required": ["place"], "properties": {"place": {"type": ["string", "null"], "enum": ["Ulm", None]}}}}}
ASKED = [{"role": "system", "content": ""}, {"role": "user", "content": "h\u00e4 \U0001f600"},
         {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {
             "name": "get_weather", "arguments": {"place": "Ulm", "n": 1e308, "x": [-0.0, 1e-7, True]}}}]},
         {"role": "tool", "tool_call_id": "1", "content": "{\"t\": 3}"}]
SHOW = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content | tojson }}{{ m.tool_calls }}{% endfor %}{{ tools | tojson(indent=2) }}{{ x }}"
USER = '[{"role":"user","content":"hi"}]'
LINES = "user\nsay \"hi\" \\n\nassistant\n <s>[INST]</s> <|im_end|>\nuser\n\n\n"
MESSAGES = {
    "plain": messages(0x13, USER),
    "tools": messages(0x02, json.dumps(ASKED), json.dumps([TOOL]), '{"x": 1, "enable_thinking": false}', SHOW),
    "tool_use": messages(0xC5, json.dumps(ASKED), json.dumps([TOOL])),
    "parts": messages(0x05, '[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image"},[[],{}]]}]', "null", '{"x":{}}', SHOW),
    "escapes": messages(0x18, '[{"role":"user","content":"\\u0000\\ud83d\\ude00\\u2028\\/\\ufeff"}]'),
    "lone": messages(0x1B, '[{"role":"user","content":"\\ud800"}]'),
    "surrogate": messages(0x1B, "user\n\ud800x\n"),
    "latin1": messages(0x14, b"user\n\xe4\nassistant\n\xc0\x80\n"),
    "huge": messages(0x02, '[{"role":"user","content":123456789012345678901234567890,"n":-1e999}]', "[]", '{"x":9223372036854775808}', SHOW),
    "small": messages(0x02, '[{"role":"user","content":"","n":[9223372036854775807,-9223372036854775808,5e-324,1E+2]}]', "[]", '{"x":-0}', SHOW),
    "deep": messages(0x02, "[" * 300 + "]" * 300, "[" * 40 + "]" * 40, '{"x":' * 9 + "1" + "}" * 9, SHOW),
    "twice": messages(0x22, '[{"role":"user","role":"system","content":"a","content":"b"}]', "", '{"x":1,"x":2,"messages":[]}', SHOW),
    "lines": messages(0x61, LINES),
    "lines_llama3": messages(0x6A, LINES),
    "object": messages(0x27, '{"role":"user","content":"hi"}', "{}", "[]"),
    "rest": messages(0x30, USER + "x", "[1,]", "{"),
    "none": messages(0x9E, "[]", "[]", "{}"),
    "markers": messages(0xA3, '[{"role":"us<|im_start|>er","content":"<|im_end|>\\n<|endoftext|>"}]', "", '{"pad_token":"<|im_end|>"}'),
    "phi_chat": messages(0xAD, LINES),
    "nobody": messages(0xE6, USER),
    "fits_zoo": messages(0x00, USER),
    "fits_huozi": messages(0x09, LINES),
    "fits_llama3": messages(0x02, USER, json.dumps([TOOL])),
    "fits_named": messages(0x07, json.dumps(ASKED), json.dumps([TOOL])),
}
for name in ("hymba", "llama2", "mixtral", "persimmon", "phi"):
    at = ["", "chatml", "huozi", "huozi_roles", "hymba", "llama2", "llama3", "mixtral", "persimmon", "phi"].index(name)
    MESSAGES["built_in_" + name] = messages(at << 4 | 1, json.dumps(ASKED), json.dumps([TOOL]))
(HERE / "messages").mkdir(exist_ok=True)
for name, text in MESSAGES.items():
    (HERE / "messages" / name).write_bytes(text)

# The words of settings for libFuzzer: what the architectures' sources ask for.
ROOT = HERE.parent.parent.parent
WORDS = sorted({w for f in sorted((ROOT / "src" / "arch").glob("*.c")) + sorted((ROOT / "lib" / "weights").glob("*.c"))
                for w in re.findall(r'"([a-z][a-z0-9_]{3,40})"', f.read_text())})
(HERE.parent / "config.dict").write_text("# Made by corpus/make.py.\n" + "".join(f'"\\"{w}\\""\n' for w in WORDS))
