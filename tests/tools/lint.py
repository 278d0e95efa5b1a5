#!/usr/bin/env python3
"""The rules of the house that no compiler checks: who may include whom, which file may use which
library, how long files and functions are, which calls and words are banned, how files begin and
how they are formatted.

    lint.py [ROOT]    prints FILE:LINE: RULE: TEXT for each finding; exit code 1 when there are any
"""

import os
import re
import shutil
import subprocess
import sys

PRODUCT = ("gateway/", "sources/", "sinks/", "config/")
CHECKED = PRODUCT + ("tests/",)

FILE_LINES = 400
FUNCTION_LINES = 60
FUNCTION_P90 = 40

# layer of a file -> the layers it may include
MAY_INCLUDE = {
    "base": {"base"},
    "io": {"base", "io"},
    "engine": {"base", "io", "engine"},
    "sources": {"base", "io"},
    "sinks": {"base", "io"},
    "api": {"base", "io", "engine", "api"},
    "config": {"base", "io", "engine", "config"},
    "top": {"base", "io", "engine", "api", "config", "top"},
}
ADAPTERS = ("sources", "sinks")
FOR_ADAPTERS = {"engine/source.h", "engine/sink.h", "engine/record.h", "engine/spool.h"}
FOR_CONFIG = {"gateway/registry.h"}

# library header (or its directory) -> the one file that may include it
WALLS = {
    "uv.h": "gateway/io/loop.c",
    "curl/": "gateway/io/http_client.c",
    "microhttpd.h": "gateway/io/http_server.c",
    "sqlite3.h": "gateway/engine/spool_db.c",
    "hiredis/": "gateway/io/redis_conn.c",
    "librdkafka/": "gateway/io/kafka_conn.c",
    "cjson/": "gateway/base/json_in.c",
    "yaml.h": "config/yaml.c",
    "openssl/": "gateway/base/digest.c",
    "uuid/": "gateway/base/rand.c",
}

BANNED = """strcpy strcat sprintf vsprintf gets atoi atol atoll strtok alloca system tmpnam tempnam
    mktemp rand srand""".split()
ALLOCATORS = "malloc calloc realloc reallocarray".split()
MAY_ALLOCATE = {"gateway/base/mem.c", "gateway/base/arena.c"}
WORDS = ("TODO", "FIXME", "XXX", "HACK")

CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
ALLOCATION = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(ALLOCATORS))
WORD = re.compile(r"\b(%s)\b" % "|".join(WORDS))
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
# a comment, a string or a character: what is not code
NOT_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
FUNCTION_NAME = re.compile(r"(\w+)\s*\(")


class Lint:
    def __init__(self, root):
        self.root = root
        self.findings = []
        self.lengths = []  # of all functions

    def say(self, path, line, rule, text):
        self.findings.append((path, line, rule, text))

    def files(self):
        """The C files that git knows; in a tree without git, all."""
        git = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "*.c", "*.h"],
                             capture_output=True, text=True, check=False)
        if git.returncode == 0:
            names = [n for n in git.stdout.split("\0") if n]
        else:
            names = [os.path.relpath(os.path.join(folder, name), self.root)
                     for folder, _, files in os.walk(self.root)
                     for name in files if name.endswith((".c", ".h"))]
        return sorted(n for n in names
                      if n.startswith(CHECKED) and os.path.exists(os.path.join(self.root, n)))

    def run(self):
        paths = self.files()
        if not paths:
            self.say(self.root, 0, "files", "no C files found")
        for path in paths:
            with open(os.path.join(self.root, path), encoding="utf-8") as f:
                self.check_file(path, f.read())
        self.check_p90()
        self.check_format(paths)
        for path, line, rule, text in sorted(self.findings):
            print(f"{path}:{line}: {rule}: {text}")
        print(f"lint: {len(paths)} files, {len(self.lengths)} functions, p90 {self.p90()} lines, "
              f"longest {max(self.lengths, default=0)}; {len(self.findings)} findings")
        return 1 if self.findings else 0

    def check_file(self, path, text):
        lines = text.splitlines()
        code = NOT_CODE.sub(blank, text).splitlines()
        self.check_begin(path, lines)
        self.check_words(path, lines)
        self.check_lengths(path, lines, code)
        self.check_calls(path, code)
        if path.startswith(PRODUCT):
            self.check_includes(path, lines)

    def check_begin(self, path, lines):
        want = f"/* {os.path.basename(path)} - "
        if not lines or not lines[0].startswith(want):
            self.say(path, 1, "begin", f"the first line is not '{want}...'")

    def check_words(self, path, lines):
        for number, line in enumerate(lines, 1):
            for word in WORD.findall(line):
                self.say(path, number, "word", f"{word} must not be left in the code")

    def check_lengths(self, path, lines, code):
        if len(lines) > FILE_LINES:
            self.say(path, FILE_LINES, "file length", f"{len(lines)} lines, more than {FILE_LINES}")
        for name, first, last in functions(code):
            n = last - first + 1
            self.lengths.append(n)
            if n > FUNCTION_LINES:
                self.say(path, first, "function length",
                         f"{name} has {n} lines, more than {FUNCTION_LINES}")

    def check_calls(self, path, code):
        for number, line in enumerate(code, 1):
            for name in CALL.findall(line):
                self.say(path, number, "banned call", f"{name}()")
            if path.startswith(PRODUCT) and path not in MAY_ALLOCATE:
                for name in ALLOCATION.findall(line):
                    self.say(path, number, "banned call", f"{name}(): base/mem.h allocates")

    def check_includes(self, path, lines):
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            kind, name = found.groups()
            for library, owner in WALLS.items():
                if (name == library or library[-1] == "/" and name.startswith(library)) \
                        and path != owner:
                    self.say(path, number, "walled header", f"{name} is only for {owner}")
            if kind == '"' and not may_include(path, name):
                self.say(path, number, "include rule", f"{layer_of(path)} may not include {name}")

    def p90(self):
        ordered = sorted(self.lengths)
        return ordered[(len(ordered) * 9 + 9) // 10 - 1] if ordered else 0

    def check_p90(self):
        if self.p90() > FUNCTION_P90:
            self.say(".", 0, "function length",
                     f"90th percentile is {self.p90()} lines, more than {FUNCTION_P90}")

    def check_format(self, paths):
        if not paths or not shutil.which("clang-format"):
            return
        ran = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=self.root,
                             capture_output=True, text=True, check=False)
        seen = set()
        for path, line in re.findall(r"^([^\s:]+):(\d+):\d+: error:", ran.stderr, re.M):
            if path not in seen:
                self.say(path, int(line), "format", "not as clang-format writes it")
            seen.add(path)
        if ran.returncode and not seen:
            self.say(".", 0, "format", ran.stderr.strip()[:200])


def blank(match):
    """Comments and strings become blanks; lines stay where they are."""
    return re.sub(r"[^\n]", " ", match.group())


def functions(code):
    """(name, first line, last line) of each body: in our format only these have their braces alone
    in the first column."""
    start = None
    for number, line in enumerate(code, 1):
        if line.rstrip() == "{":
            start = number
        elif line.rstrip() == "}" and start:
            yield name_before(code, start - 1), start, number
            start = None


def name_before(code, line):
    """The name in the declaration that ends before this line; it begins in the first column."""
    head = []
    for text in reversed(code[max(0, line - 20):line]):
        head.insert(0, text)
        if text[:1].strip():
            break
    found = FUNCTION_NAME.search(" ".join(head))
    return found.group(1) if found else "?"


def layer_of(path):
    """The layer of a file of the tree, or of a name as it stands in an include line."""
    if path.startswith("gateway/"):
        path = path[len("gateway/"):]
    first, slash, _ = path.partition("/")
    if not slash:
        return "top"
    return first if first in MAY_INCLUDE else "unknown"


def family(path):
    """The adapter a file belongs to: runtime_pool.c is of runtime."""
    return re.match(r"[^_.]*", os.path.basename(path)).group()


def may_include(path, name):
    layer, other = layer_of(path), layer_of(name)
    if other in MAY_INCLUDE[layer]:
        return True
    if layer in ADAPTERS:
        return name in FOR_ADAPTERS or (other == layer and family(name) == family(path))
    return layer == "config" and name in FOR_CONFIG


if __name__ == "__main__":
    sys.exit(Lint(sys.argv[1] if len(sys.argv) > 1 else ".").run())
