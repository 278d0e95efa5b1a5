"""penstock match: verdicts, exit codes, texts and places, in the process that users run."""

import json
import subprocess
import time

from gateway import BINARY

RUNNING = '{"detail": {"state": ["running"]}}'


class Answer:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()

    @property
    def json(self):
        assert self.err == "", self.err
        return json.loads(self.out)

    def is_match(self):
        assert (self.code, self.out, self.err) == (0, "", ""), self
        return self

    def is_no_match(self):
        assert self.code == 1 and self.out == "" and self.err.startswith("no match: "), self
        return self

    def is_refused(self):
        assert self.code == 2 and self.out == "" and self.err, self
        return self

    def __repr__(self):
        return f"exit code {self.code}\n{self.out[:2000]}---\n{self.err[:2000]}"


def penstock(*arguments, stdin=b""):
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    return Answer(subprocess.run([BINARY, *arguments], input=stdin, capture_output=True,
                                 timeout=30, check=False))


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def match(pattern, event, *more, stdin=b""):
    return penstock("match", "--event-pattern", text_of(pattern), "--event", text_of(event), *more,
                    stdin=stdin)


def record(body, **members):
    return {"messageId": "1", "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {"SenderId": "me"}, "eventSource": "aws:sqs", **members}


def esm(pattern, event, *more):
    return match(pattern, event, "--mode", "esm", *more)


def caret_at(answer, line, before):
    """The excerpt is that line (number, text), and the caret stands under what comes after before."""
    number, text = line
    shown = answer.err.splitlines()[-2:]
    assert shown[0] == f"{number:4} | {text}", answer
    assert shown[1] == "     | " + " " * before + "^", answer


# -- texts, files, stdin

def test_verdicts(t):
    match(RUNNING, {"detail": {"state": "running"}}).is_match()
    match(RUNNING, {"detail": {"state": ["stopped", "running"]}}).is_match()
    match(RUNNING, {"detail": {"state": "stopped"}}).is_no_match()
    match(RUNNING, {}).is_no_match()


def test_files_and_stdin(t):
    pattern, event = t.folder / "p ü.json", t.folder / "e.json"
    pattern.write_text(RUNNING + "\n")
    event.write_text('{"detail":\n {"state": "running"}}\n')
    match(f"file://{pattern}", f"file://{event}").is_match()
    match(f"file://{pattern}", "-", stdin=event.read_bytes()).is_match()
    match("-", f"file://{event}", stdin=RUNNING).is_match()
    match("-", {"detail": {"state": 1}}, stdin=RUNNING).is_no_match()
    penstock("match", f"--event-pattern={RUNNING}", "--event=-",
             stdin='{"detail":{"state":"running"}}').is_match()


def test_wrong_arguments(t):
    missing = t.folder / "missing.json"
    assert str(missing) in match(f"file://{missing}", "{}").is_refused().err
    assert str(missing) in match(RUNNING, f"file://{missing}").is_refused().err
    assert str(t.folder) in match(RUNNING, f"file://{t.folder}").is_refused().err
    assert "stdin" in match("-", "-").is_refused().err
    assert "--event is missing" in penstock("match", "--event-pattern", RUNNING).is_refused().err
    assert "--event-pattern is missing" in penstock("match", "--event", "{}").is_refused().err
    assert "needs a value" in penstock("match", "--event-pattern").is_refused().err
    assert "unexpected operand" in match(RUNNING, "{}", "more").is_refused().err
    assert "unknown option --modes" in match(RUNNING, "{}", "--modes=bus").is_refused().err
    assert "not 'lambda'" in match(RUNNING, "{}", "--mode", "lambda").is_refused().err
    for answer in (match("-", "-"), match(RUNNING, "{}", "more"), penstock("match")):
        assert "usage: penstock match --event-pattern" in answer.is_refused().err


def test_help(t):
    told = penstock("match", "--help")
    assert told.code == 0 and told.err == "", told
    for word in ("file://PATH", "--mode esm", "an event need not have id", "Exit code"):
        assert word in told.out, told
    assert max(map(len, told.out.splitlines())) <= 100
    assert "penstock match " in penstock("--help").out


# -- why not

def test_why_not_is_told(t):
    pattern = '{\n  "source": ["a"],\n  "detail": {\n    "state": ["running"]\n  }\n}'
    told = match(pattern, {"source": "a", "detail": {"state": "stopped"}}).is_no_match()
    for word in ('line 4', '"detail.state"', '"stopped"', '["running"]'):
        assert word in told.err, told
    caret_at(told, (4, '    "state": ["running"]'), len('    "state": '))
    told = match(pattern, {"source": "b", "detail": {"state": "running"}}).is_no_match()
    caret_at(told, (2, '  "source": ["a"],'), len('  "source": '))


def test_caret_counts_columns(t):
    told = match('{"größe": {"日本": {"x": [1]}}}', {}).is_no_match()
    caret_at(told, (1, '{"größe": {"日本": {"x": [1]}}}'), len('{"größe": {"日本": {"x": ') + 2)
    told = match('{\r\n\t"a":\t[1]\r\n}', {}).is_no_match()
    caret_at(told, (2, ' "a": [1]'), len(' "a": '))


def test_elements_of_arrays(t):
    """Each field finds a value, but in different elements: there is no single field to point at."""
    event = {"a": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
    match({"a": {"x": [1], "y": [2]}}, event).is_match()
    told = match({"a": {"x": [1], "y": [4]}}, event).is_no_match()
    assert "element" in told.err, told


# -- what is not valid

def test_invalid_pattern(t):
    pattern = '{"a": [{"prefix": 3}]}'
    told = match(pattern, "{}").is_refused()
    first, place, line, caret = told.err.splitlines()
    assert first == "Event pattern is not valid. Reason: prefix match pattern must be a string"
    assert place.startswith(f' at [Source: (String)"{pattern}"; line: 1, column: '), told
    assert line == f"   1 | {pattern}" and caret.endswith("^"), told


def test_invalid_pattern_points_into_its_line(t):
    pattern = '{\n  "größe": [\n\t{"wildcat": "x*"}\n  ]\n}'
    told = match(pattern, "{}").is_refused()
    assert "Reason: Unrecognized match type wildcat" in told.err
    shown, caret = told.err.splitlines()[-2:]
    assert shown == '   3 |  {"wildcat": "x*"}', told
    assert caret.index("^") > len("     | "), told


def test_long_pattern_is_cut(t):
    """As EventBridge does: 500 characters, and how many more there are."""
    pattern = '{"a": ["' + "ü" * 600 + '"], "b": 1}'
    told = match(pattern, "{}").is_refused()
    source = told.err.split('(String)"')[1].split('"[truncated ')
    assert source[0] == pattern[:500] and source[1].startswith(f"{len(pattern) - 500} chars]; "), told
    assert max(len(line) for line in told.err.splitlines()[-2:]) < 140, told
    assert '"b": 1' in told.err.splitlines()[-2], told


def test_texts_cannot_harm_a_terminal(t):
    path = t.folder / "p.json"
    path.write_bytes(b'{"a": [{"\x1b[2Jx\xff\xc2\x9b": 1}]}')
    for told in (match(f"file://{path}", "{}").is_refused(),
                 match(RUNNING, f"file://{path}").is_refused(),
                 match('{"a": ["\x7f\u202e\u009b"]}', '{"a": "\x7f\u202e\u009b2"}').is_no_match()):
        for character in told.err:
            assert character == "\n" or character.isprintable() or character == "�", repr(told.err)


def test_event_is_not_an_object(t):
    for event, what, column in (
            ('"plain"', "it is not a JSON object", 1), ("  [1]", "it is not a JSON object", 3),
            ("5", "it is not a JSON object", 1), ("", "it is not JSON", 1),
            ('{"a": 1,}', "it is not JSON", 9), ('{"a": "ü"', "it is not JSON", 10),
            ('{"a": 01}', "it is not JSON", 8), ('{} {}', "it is not JSON", 4)):
        told = match(RUNNING, event).is_refused()
        lines = told.err.splitlines()
        assert lines[0].startswith(f"Parameter Event is not valid. Reason: {what} at line 1, "), told
        assert lines[0].endswith(f"column {column}"), told
        assert lines[2] == "     | " + " " * (column - 1) + "^", told


def test_event_with_a_nul(t):
    path = t.folder / "e.json"
    path.write_bytes(b'{"a": 1}\0')
    assert "not JSON" in match('{"a": [1]}', f"file://{path}").is_refused().err
    path.write_bytes(b'{"a": [1]}\0')
    assert match(f"file://{path}", '{"a": 1}').is_refused()


# -- JSON

def test_json(t):
    assert match(RUNNING, {"detail": {"state": "running"}}, "--json").json == {"Result": True}
    told = match('{"a":\n ["ü\\n"]}', {"a": 'say "x"'}, "--json")
    answer = told.json
    assert told.code == 1 and answer.pop("Reason").count('"a"') == 1, told
    assert answer == {"Result": False, "Field": "a", "Line": 2, "Column": 2}, told
    told = match('{"a": [{"prefix": 3}]}', "{}", "--json")
    assert told.code == 2 and told.json["Error"] == "InvalidEventPatternException", told
    assert told.json["Message"].startswith("Event pattern is not valid. Reason: prefix match")
    assert told.json["Line"] == 1 and told.json["Column"] > 7, told
    told = match('{"a": [1]}', "[]", "--json")
    assert told.code == 2 and told.json["Error"] == "ValidationException", told
    assert told.json["Message"].startswith("Parameter Event is not valid."), told


# -- large and hostile inputs

def test_sizes(t):
    event = t.folder / "e.json"
    mb = 1 << 20
    for size, code in ((mb, 0), (mb + 1, 2)):
        event.write_text(('{"a": "%s", "b": 1}' % ("x" * (size - 20))).ljust(size))
        told = match('{"b": [1]}', f"file://{event}")
        assert told.code == code, told
    assert str(event) in told.err and "1048576 bytes" in told.err, told
    big = '{"a": ["%s"]}' % ("x" * 65536)
    assert "65536 bytes" in match("-", "{}", stdin=big).is_refused().err
    assert "65536 bytes" in match(big, "{}").is_refused().err


def test_hostile_events_end_soon(t):
    begun = time.monotonic()
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    assert match('{"b": [1]}', "-", stdin=deep).code == 2
    many = json.dumps({"a": [{f"k{i % 7}": i} for i in range(20000)]})
    match({"a": {f"k{i}": [{"numeric": [">=", 0]}] for i in range(7)}}, "-",
          stdin=many).is_no_match()
    grid = json.dumps({f"a{i}": [{"x": j} for j in range(1000)] for i in range(10)})
    match({f"a{i}": {"x": [-1 if i == 9 else {"exists": True}]} for i in range(10)}, "-",
          stdin=grid).is_no_match()
    stars = {"a": "ab" * 200000 + "c"}
    match({"a": [{"wildcard": "*a*b*d"}]}, "-", stdin=json.dumps(stars)).is_no_match()
    assert time.monotonic() - begun < 10


# -- filters of event source mappings

def test_esm_bodies(t):
    json_body, plain = record({"a": 1, "b": ["x"]}), record("hello")
    esm({"body": {"a": [1]}}, json_body).is_match()
    assert '"body.a"' in esm({"body": {"a": [2]}}, json_body).is_no_match().err
    esm({"body": ["hello"]}, plain).is_match()
    esm({"body": [{"prefix": "he"}]}, plain).is_match()
    esm({"body": {"a": [1]}}, plain).is_no_match()
    esm({"body": ["hello"]}, json_body).is_no_match()
    esm({"attributes": {"SenderId": ["me"]}}, plain).is_match()
    match({"body": {"a": [1]}}, json_body).is_no_match()  # on a bus a text is a text


def test_esm_whole_events(t):
    esm({"body": ["hello"]}, {"Records": [record("hello")]}).is_match()
    esm({"body": ["hello"]}, ' { "x" : [ {"Records": 1}, "]\\"" ] , "Records" : [ ' +
        json.dumps(record("hello"), indent=2) + " ] } ").is_match()
    esm({"body": ["hello"]}, {"Records": [record("no")]}).is_no_match()
    sample = penstock("event", "SQS", "--set", "Records.0.body=hello").out
    match({"body": ["hello"]}, "-", "--mode", "esm", stdin=sample).is_match()
    for records in ([], [record("a"), record("b")], [1], "x", None, {"a": 1}):
        told = esm({"body": ["hello"]}, {"Records": records}).is_refused()
        assert "Records do not hold one record" in told.err, told


def test_esm_refuses_what_is_for_buses(t):
    for operator, name in (({"wildcard": "a*"}, "wildcard"), ({"cidr": "10.0.0.0/8"}, "cidr"),
                           ({"anything-but": {"prefix": "a"}}, "anything-but")):
        match({"body": [operator]}, record("b")).is_match() if name == "anything-but" else None
        told = esm('{"body":\n [%s]}' % json.dumps(operator), record("b")).is_refused()
        assert told.err.startswith("Invalid filter pattern definition. Reason: "), told
        assert name in told.err and told.err.splitlines()[-2].startswith("   2 | "), told
    told = esm({"body": [{"wildcard": "a*"}]}, record("b"), "--json")
    assert told.code == 2 and told.json["Error"] == "InvalidParameterValueException", told
    assert "4096" in esm({"body": ["x" * 4096]}, record("b")).is_refused().err
    big = {"Records": [record("x" * (5 << 20), a=1)]}
    match({"a": [1]}, "-", "--mode", "esm", stdin=json.dumps(big)).is_match()
