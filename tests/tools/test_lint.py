#!/usr/bin/env python3
"""Does lint.py find what it is for? Each rule gets a small tree that breaks it and one that keeps
it; a rule that cannot fail would be worse than none."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

LINT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lint.py")
FORMAT = os.path.join(os.path.dirname(LINT), "..", "..", ".clang-format")


def c_file(name, *lines):
    return "\n".join([f"/* {name} - for the test. */", *lines]) + "\n"


def function(lines, name="f"):
    """A function whose body, braces included, has so many lines."""
    return "\n".join([f"int {name}(void)", "{", *["    g();"] * (lines - 2), "}"])


class LintTest(unittest.TestCase):
    def lint(self, files, git=False):
        """Lints a tree of these files; returns exit code, findings, summary."""
        with tempfile.TemporaryDirectory() as root:
            shutil.copy(FORMAT, root)
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
            if git:
                subprocess.run(["git", "init", "-q", root], check=True)
                subprocess.run(["git", "-C", root, "add", *git], check=True)
            ran = subprocess.run([sys.executable, LINT, root], capture_output=True, text=True,
                                 check=False)
        self.assertEqual(ran.stderr, "")
        *findings, summary = ran.stdout.splitlines()
        return ran.returncode, findings, summary

    def bad(self, files, *wanted):
        """Exactly these findings, given by how they begin."""
        code, findings, _ = self.lint(files)
        self.assertEqual(code, 1, findings)
        self.assertEqual(len(findings), len(wanted), findings)
        for begin in wanted:
            self.assertTrue(any(f.startswith(begin) for f in findings), (begin, findings))

    def good(self, files):
        code, findings, summary = self.lint(files)
        self.assertEqual((code, findings), (0, []))
        return summary

    def one(self, path, *lines):
        return {path: c_file(os.path.basename(path), *lines)}

    def test_clean_tree(self):
        summary = self.good({**self.one("gateway/base/a.c", "", function(10)),
                             **self.one("tests/unit/test_a.c", "", function(30))})
        self.assertEqual(summary, "lint: 2 files, 2 functions, p90 30 lines, longest 30; 0 findings")

    def test_empty_tree_is_a_failure(self):
        code, findings, _ = self.lint({"docs/x.txt": "x\n"})
        self.assertEqual(code, 1)
        self.assertIn("no C files found", findings[0])

    def test_only_what_git_knows(self):
        files = {**self.one("gateway/a.c", "int a;"), **self.one("gateway/b.c", "int b; /* TODO */")}
        self.assertEqual(self.lint(files, git=["gateway/a.c"])[0], 0)
        self.assertEqual(self.lint(files, git=["gateway/a.c", "gateway/b.c"])[0], 1)

    def test_include_rule(self):
        allowed = {
            "gateway/base/a.c": ["base/b.h"],
            "gateway/io/a.c": ["base/b.h", "io/b.h"],
            "gateway/engine/a.h": ["base/b.h", "io/b.h", "engine/batch.h"],
            "gateway/api/a.c": ["base/b.h", "io/b.h", "engine/batch.h", "api/b.h"],
            "gateway/gateway.c": ["base/b.h", "engine/batch.h", "api/b.h", "config/b.h", "gateway.h"],
            "config/a.c": ["base/b.h", "io/b.h", "engine/sink.h", "config/b.h",
                           "gateway/registry.h"],
            "sources/sqs.c": ["base/b.h", "io/b.h", "engine/source.h", "engine/sink.h",
                              "engine/record.h", "engine/spool.h", "sources/sqs.h",
                              "sources/sqs_wire.h"],
            "sinks/runtime_pool.c": ["sinks/runtime.h", "engine/sink.h"],
        }
        refused = {
            "gateway/base/a.c": ["io/loop.h", "engine/sink.h", "config/b.h", "registry.h"],
            "gateway/io/a.c": ["engine/sink.h", "api/b.h", "sinks/b.h", "gateway/registry.h"],
            "gateway/engine/a.h": ["api/b.h", "sources/sqs.h", "config/b.h", "gateway.h"],
            "gateway/api/a.c": ["sources/sqs.h", "sinks/http.h", "config/b.h", "registry.h"],
            "gateway/gateway.c": ["sources/sqs.h", "sinks/http.h", "elsewhere/b.h"],
            "config/a.c": ["sources/sqs.h", "api/b.h", "gateway/gateway.h"],
            "sources/sqs.c": ["engine/mapping.h", "engine/batch.h", "sources/kafka.h",
                              "sinks/sqs.h", "api/b.h", "config/b.h", "sources/sqsx.h"],
            "sinks/runtime_pool.c": ["sinks/http.h", "engine/lane.h", "sources/runtime.h"],
        }
        for path, names in allowed.items():
            for name in names:
                with self.subTest(path=path, name=name):
                    self.good(self.one(path, f'#include "{name}"'))
        for path, names in refused.items():
            for name in names:
                with self.subTest(path=path, name=name):
                    self.bad(self.one(path, f'#include "{name}"'), f"{path}:2: include rule: ")

    def test_walled_headers(self):
        owners = {
            "uv.h": "gateway/io/loop.c",
            "curl/curl.h": "gateway/io/http_client.c",
            "microhttpd.h": "gateway/io/http_server.c",
            "sqlite3.h": "gateway/engine/spool_db.c",
            "hiredis/async.h": "gateway/io/redis_conn.c",
            "librdkafka/rdkafka.h": "gateway/io/kafka_conn.c",
            "cjson/cJSON.h": "gateway/base/json_in.c",
            "yaml.h": "config/yaml.c",
            "openssl/evp.h": "gateway/base/digest.c",
            "uuid/uuid.h": "gateway/base/rand.c",
        }
        for name, owner in owners.items():
            with self.subTest(name=name):
                self.good(self.one(owner, f"#include <{name}>"))
                other = "gateway/io/other.c"
                self.bad(self.one(other, f"#include <{name}>"), f"{other}:2: walled header: {name}")

    def test_function_length(self):
        path = "gateway/a.c"
        short = [function(5, f"f{i}") for i in range(20)]
        self.good(self.one(path, "", "\n\n".join([*short, function(60)])))
        self.bad(self.one(path, "", "\n\n".join([function(61, "longer"), *short])),
                 f"{path}:4: function length: longer has 61 lines")
        test = "tests/unit/test_a.c"
        self.bad({**self.one(test, "", function(61)), **self.one(path, "", "\n\n".join(short))},
                 f"{test}:4: function length: f has 61")

    def test_function_name_is_found(self):
        head = "struct very_long_name *wrapped_name(struct some_long_type *first_parameter,"
        more = " " * head.index("(") + " struct some_long_type *second_parameter)"
        body = function(70).split("\n")[1:]
        others = [function(5, f"f{i}") for i in range(20)]
        self.bad(self.one("gateway/a.c", "", head, more, *body, "", "\n\n".join(others)),
                 "gateway/a.c:5: function length: wrapped_name has 70")

    def test_p90(self):
        def tree(long):
            bodies = [function(41 if i < long else 5, f"f{i}") for i in range(20)]
            half = len(bodies) // 2
            return {**self.one("gateway/a.c", "", "\n\n".join(bodies[:2])),
                    **self.one("gateway/b.c", "", "\n\n".join(bodies[2:half])),
                    **self.one("gateway/c.c", "", "\n\n".join(bodies[half:]))}
        self.assertIn("p90 5 lines", self.good(tree(2)))
        self.bad(tree(3), ".:0: function length: 90th percentile is 41")

    def test_file_length(self):
        self.good(self.one("gateway/a.c", *["int a;"] * 399))
        self.bad(self.one("gateway/a.c", *["int a;"] * 400), "gateway/a.c:400: file length: 401")

    def test_banned_calls(self):
        for name in ("strcpy strcat sprintf vsprintf gets atoi atol atoll strtok alloca system "
                     "tmpnam tempnam mktemp rand srand").split():
            for path in ("gateway/base/a.c", "tests/unit/test_a.c"):
                with self.subTest(name=name, path=path):
                    self.bad(self.one(path, f"int a = {name}(b);"),
                             f"{path}:2: banned call: {name}()")
        self.good(self.one("gateway/a.c", "int a = snprintf(b) + vsnprintf(b) + rand_u64();",
                           "int b = op->system(1) + ops.rand(2) + my_strcpy(3);",
                           "/* strcpy(a, b) */", 'const char *text = "strcpy(a, b)";',
                           "const char quote = '\"'; // strcat(a)", 'const char *c = "\\"gets(";'))
        self.bad(self.one("gateway/a.c", "const char quote = '\"';", "int a = gets(b);"),
                 "gateway/a.c:3: banned call: gets()")

    def test_allocation(self):
        for name in "malloc calloc realloc reallocarray".split():
            with self.subTest(name=name):
                line = f"int a = {name}(b);"
                self.bad(self.one("sinks/a.c", line), f"sinks/a.c:2: banned call: {name}()")
                self.good(self.one("gateway/base/mem.c", line))
                self.good(self.one("gateway/base/arena.c", line))
                self.good(self.one("tests/unit/test_a.c", line))

    def test_words(self):
        for word in ("TODO", "FIXME", "XXX", "HACK"):
            with self.subTest(word=word):
                self.bad(self.one("sources/a.h", f"/* {word}: later */"),
                         f"sources/a.h:2: word: {word}")
        self.good(self.one("sources/a.c", 'const char *a = "/tmp/XXXXXX"; /* HACKNEY, todo */'))

    def test_begin(self):
        for text in ("int a;\n", "", "/* b.h - of another file. */\n", "/* a.h: colon. */\n"):
            with self.subTest(text=text):
                self.bad({"gateway/base/a.h": text}, "gateway/base/a.h:1: begin: ")

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_format(self):
        self.bad({**self.one("gateway/a.c", "int a;", "int  b;", "int   c;"),
                  **self.one("gateway/b.c", "int a;")}, "gateway/a.c:3: format: ")

    def test_other_folders_are_not_ours(self):
        self.good({**self.one("gateway/a.c"), "examples/x.c": "TODO\n", "build/x.c": "TODO\n"})


if __name__ == "__main__":
    unittest.main()
