"""What the tests of the hybridlm program share: calls of it, files for it, and the loop that runs a file's tests.

    test_....py PROGRAM FOLDER [PLAIN]     FOLDER holds tiny-llama/ and tiny-llama.gguf; PLAIN is the program without libedit
"""

import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM, MODELS = sys.argv[1], sys.argv[2]
PLAIN = sys.argv[3] if len(sys.argv) > 3 else PROGRAM
FOLDER = os.path.join(MODELS, "tiny-llama")
GGUF = os.path.join(MODELS, "tiny-llama.gguf")
LIMIT = 120  # seconds for one call; they take milliseconds
TESTS = []

# Where the program is built with the leak sanitizer.
SUPPRESSIONS = pathlib.Path(__file__).resolve().parent / "lsan.supp"
os.environ.setdefault("LSAN_OPTIONS", f"suppressions={SUPPRESSIONS}:print_suppressions=0")


def test(function):
    TESTS.append(function)
    return function


def run(*args, stdin=b"", env=None, **more):
    done = subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, timeout=LIMIT, env=env, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def good(*args, **more):
    code, out, err = run(*args, **more)
    assert code == 0, f"{args}: exit code {code}, {err!r}"
    return out


def good_json(*args, **more):
    return json.loads(good(*args, "--json", **more))


def bad(code, *args, **more):
    """Expects an exit code and an empty result; gives the error text."""
    got, out, err = run(*args, **more)
    assert got == code, f"{args}: exit code {got} instead of {code}, {err!r}"
    assert out == "", f"{args}: output {out!r}"
    assert err.startswith("hybridlm: "), err
    return err


def file_with(data):
    f = tempfile.NamedTemporaryFile(delete=False)
    f.write(data)
    f.close()
    return f.name


def adapter(folder, name, sign=1):
    """A PEFT folder of rank 1 for two matrices of tiny-llama."""
    path = pathlib.Path(folder, name)
    path.mkdir()
    settings = {"peft_type": "LORA", "r": 1, "lora_alpha": 0.25, "target_modules": ["down_proj", "q_proj"], "bias": "none"}
    (path / "adapter_config.json").write_text(json.dumps(settings))
    header, data = {}, b""
    for matrix, rows, cols in (("layers.0.mlp.down_proj", 16, 32), ("layers.1.self_attn.q_proj", 16, 16)):
        for part, shape in (("A", [1, cols]), ("B", [rows, 1])):
            values = [sign ** (part == "B") * (1 + i % 3) / 2 * (-1) ** (i // 2) for i in range(shape[0] * shape[1])]
            begin = len(data)
            data += struct.pack(f"<{len(values)}f", *values)
            header[f"base_model.model.model.{matrix}.lora_{part}.weight"] = {
                "dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    (path / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    return str(path)


def chat(lines, *args, path=FOLDER):
    out = good("chat", "-m", path, "--json", *args, stdin="".join(line + "\n" for line in lines).encode())
    return [json.loads(line) for line in out.splitlines()]


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *args, program=PROGRAM, columns=0, **env):
        size = struct.pack("HHHH", 24, columns, 0, 0)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.environ.update({"TERM": "xterm", **env})
            os.execv(program, [program, *args])
        self.seen = ""

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def type(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            data = data[os.write(self.fd, data[:1024]):]

    def rest(self):
        """All that comes until the program ends, and its exit code."""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
            self.seen += data.decode(errors="replace")
        os.close(self.fd)
        return self.seen, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def wait_for(self, text, seconds=LIMIT):
        """Reads until `text` comes; forgets what came before its end."""
        end = time.time() + seconds
        while text not in self.seen:
            assert time.time() < end, f"{text!r} did not come: {self.seen[-300:]!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    assert text in self.seen, f"ended without {text!r}: {self.seen[-300:]!r}"
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def type_until(self, key, text):
        """Presses a key until `text` comes: one that is pressed before the editor listens is lost."""
        for _ in range(30):
            self.type(key)
            try:
                return self.wait_for(text, seconds=1)
            except AssertionError:
                pass
        raise AssertionError(f"{text!r} did not come: {self.seen[-300:]!r}")

    def exit_code(self, key=None):
        """The exit code, pressing `key` every second until there is one."""
        for moment in range(LIMIT * 20):
            if key and moment % 20 == 0:
                self.type(key)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:  # Linux: the other side is closed
                    key = None
                    time.sleep(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("the program did not end")


def main():
    """Runs what was marked as a test; the exit status."""
    passed = failed = 0
    for function in TESTS:
        try:
            function()
            passed += 1
        except Exception as error:  # a test that breaks has failed, whatever broke
            failed += 1
            print(f"{function.__name__}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
