/* test_runtime_bootstrap.c - the embedded bootstraps, run by the real interpreters. */
#include "runtime_fixture.h"

static struct fixture *open_python(const char *code, const char *handler)
{
    struct fixture *f = fixture_new();
    f->runtime.name = "python3.12";
    f->runtime.handler = handler;
    if (code != NULL)
        fixture_write(f, "app.py", code, 0644);
    fixture_open(f);
    return f;
}

static struct fixture *open_node(const char *file, const char *code, const char *handler)
{
    struct fixture *f = fixture_new();
    f->runtime.name = "nodejs20.x";
    f->runtime.handler = handler;
    if (code != NULL)
        fixture_write(f, file, code, 0644);
    fixture_open(f);
    return f;
}

static void expect(struct fixture *f, const char *event, enum outcome outcome, const char *part)
{
    struct trip t;
    trip_go(f, &t, event);
    if (t.d.reply.outcome != outcome)
        fail_msg("%s: %s %s", event, outcome_name(t.d.reply.outcome), t.d.reply.body.p);
    assert_contains(t.d.reply.body.p, part);
    trip_clear(&t);
}

static void expect_whole(struct fixture *f, const char *event, const char *body)
{
    struct trip t;
    trip_go(f, &t, event);
    assert_int_equal(t.d.reply.outcome, OUTCOME_OK);
    assert_body(&t, body);
    trip_clear(&t);
}

static const char python_code[] =
    "import decimal, json, logging, os, sys\n"
    "def handler(event, context):\n"
    "    do = event['do']\n"
    "    if do == 'echo': return event\n"
    "    if do == 'raise': raise KeyError('thing')\n"
    "    if do == 'exit': sys.exit(4)\n"
    "    if do == 'set': return {1, 2}\n"
    "    if do == 'decimal': return decimal.Decimal('1.5')\n"
    "    if do == 'surrogate': return '\\ud800'\n"
    "    if do == 'unicode': return 'h\\u00e9'\n"
    "    if do == 'bytes': return b'raw'\n"
    "    if do == 'big': return 'x' * 3000000\n"
    "    if do == 'print':\n"
    "        print('printed'); logging.getLogger().warning('logged'); print('rest', end='')\n"
    "    if do == 'context':\n"
    "        return [context.function_name, context.function_version,\n"
    "                context.memory_limit_in_mb, context.invoked_function_arn,\n"
    "                context.aws_request_id == event['id'] if 'id' in event else None,\n"
    "                0 < context.get_remaining_time_in_millis() <= 10000,\n"
    "                context.log_group_name, context.client_context,\n"
    "                context.identity.cognito_identity_id,\n"
    "                os.environ['_X_AMZN_TRACE_ID'][:7], sys.path[0] == os.getcwd(),\n"
    "                os.environ['AWS_EXECUTION_ENV']]\n";

static void test_python(void **state)
{
    (void)state;
    struct fixture *f = open_python(python_code, "app.handler");
    struct trip t;
    expect_whole(f, "{\"do\":\"echo\",\"n\":[1,2.5,null]}",
                 "{\"do\": \"echo\", \"n\": [1, 2.5, null]}");
    expect_whole(f, "{\"do\":\"context\"}",
                 "[\"fn\", \"$LATEST\", \"128\", "
                 "\"arn:aws:lambda:eu-west-1:000000000000:function:fn\", null, true, "
                 "\"/aws/lambda/fn\", null, null, \"Root=1-\", true, \"AWS_Lambda_python3.12\"]");
    expect_whole(f, "{\"do\":\"none\"}", "null");
    expect_whole(f, "{\"do\":\"decimal\"}", "1.5");
    expect_whole(f, "{\"do\":\"unicode\"}", "\"h\303\251\"");
    expect_whole(f, "{\"do\":\"surrogate\"}", "\"\\ud800\"");
    expect_whole(f, "{\"do\":\"bytes\"}", "raw");
    expect(f, "{\"do\":\"big\"}", OUTCOME_OK, "xxx");
    expect(f, "{\"do\":\"set\"}", OUTCOME_FAILED, "\"errorType\": \"Runtime.MarshalError\"");
    expect(f, "not json", OUTCOME_FAILED, "\"errorType\": \"Runtime.UnmarshalError\"");

    trip_go(f, &t, "{\"do\":\"raise\"}");
    char expected[500];
    snprintf(expected, sizeof expected,
             "{\"errorMessage\": \"'thing'\", \"errorType\": \"KeyError\", \"requestId\": \"%s\", "
             "\"stackTrace\": [\"  File \\\"%s/app.py\\\", line 5, in handler\\n    if do == "
             "'raise': raise KeyError('thing')\\n",
             t.d.request_id, f->runtime.root);
    assert_memory_equal(t.d.reply.body.p, expected, strlen(expected));
    assert_contains(t.d.reply.log_tail.p, "[ERROR] KeyError: 'thing'\n");
    trip_clear(&t);

    trip_go(f, &t, "{\"do\":\"print\"}");
    assert_contains(t.d.reply.log_tail.p, "\nprinted\n[WARNING]\t20");
    snprintf(expected, sizeof expected, "Z\t%s\tlogged\n", t.d.request_id);
    assert_contains(t.d.reply.log_tail.p, expected);
    trip_clear(&t);

    expect(f, "{\"do\":\"exit\"}", OUTCOME_FAILED, "exit status 4");
    expect(f, "{\"do\":\"echo\"}", OUTCOME_OK, "echo");
    fixture_free(f);
}

static void test_python_context(void **state)
{
    (void)state;
    struct fixture *f = open_python("def handler(event, context):\n"
                                    "    c = context.client_context\n"
                                    "    return [c.client.app_title, c.custom, c.env]\n",
                                    "app.handler");
    struct trip t = {.f = f};
    t.d = (struct delivery){.payload = SLICE("{}"),
                            .client_context =
                                "{\"client\":{\"app_title\":\"\303\251\"},\"custom\":{\"a\":1}}",
                            .timeout_ms = 10000,
                            .request_id = "one",
                            .done = trip_done};
    f->waiting++;
    runtime_sink.send(&f->runtime.sink, &t.d);
    fixture_run(f);
    assert_body(&t, "[\"\303\251\", {\"a\": 1}, null]");
    trip_clear(&t);
    fixture_free(f);
}

static void test_python_init(void **state)
{
    (void)state;
    static const struct {
        const char *code, *handler, *part;
    } cases[] = {
        {NULL, "app.handler",
         "{\"errorMessage\": \"Unable to import module 'app': No module named 'app'\", "
         "\"errorType\": \"Runtime.ImportModuleError\", \"requestId\": \"\", \"stackTrace\": []}"},
        {"import nothing_there\n", "app.handler", "No module named 'nothing_there'"},
        {"x = 1\n", "app.handler",
         "{\"errorMessage\": \"Handler 'handler' missing on module 'app'\", \"errorType\": "
         "\"Runtime.HandlerNotFound\""},
        {"def handler(:\n", "app.handler", "\"errorType\": \"Runtime.UserCodeSyntaxError\""},
        {"raise ValueError('at load')\n", "app.handler",
         "{\"errorMessage\": \"at load\", \"errorType\": \"ValueError\", \"requestId\": \"\", "
         "\"stackTrace\": [\"  File"},
        {"import sys\nsys.exit(9)\n", "app.handler", "exit status 9"},
        {NULL, "sys.exit", "Runtime.BuiltInModuleConflict"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = open_python(cases[i].code, cases[i].handler);
        expect(f, "{}", OUTCOME_FAILED, cases[i].part);
        fixture_free(f);
    }
}

static void test_python_folders(void **state)
{
    (void)state;
    static const char *const handlers[] = {"in/side/mod.fn", "in.side.mod.fn"};
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
        struct fixture *f = fixture_new();
        char path[200];
        snprintf(path, sizeof path, "%s/in", f->dir);
        assert_int_equal(mkdir(path, 0755), 0);
        snprintf(path, sizeof path, "%s/in/side", f->dir);
        assert_int_equal(mkdir(path, 0755), 0);
        fixture_write(f, "in/side/mod.py", "def fn(e, c): return 'deep'\n", 0644);
        f->runtime.name = "python3.9";
        f->runtime.handler = handlers[i];
        fixture_open(f);
        expect_whole(f, "{}", "\"deep\"");
        fixture_free(f);
    }
}

static void test_node(void **state)
{
    (void)state;
    static const char code[] =
        "exports.handler = async (event, context) => {\n"
        "  switch (event.do) {\n"
        "  case 'echo': return event;\n"
        "  case 'raise': throw new TypeError('thing');\n"
        "  case 'string': throw 'words';\n"
        "  case 'exit': process.exit(4);\n"
        "  case 'circular': { const a = {}; a.a = a; return a; }\n"
        "  case 'bigint': return 1n;\n"
        "  case 'big': return 'x'.repeat(3000000);\n"
        "  case 'print': console.log('printed'); console.error('on stderr'); return 1;\n"
        "  case 'timer': setTimeout(() => { throw new RangeError('later'); }, 1);\n"
        "    return new Promise(() => setTimeout(() => {}, 5000));\n"
        "  case 'reject': Promise.reject(new Error('lost'));\n"
        "    return new Promise(() => setTimeout(() => {}, 5000));\n"
        "  case 'never': return new Promise(() => {});\n"
        "  case 'context': return [context.functionName, context.functionVersion,\n"
        "    context.memoryLimitInMB, context.invokedFunctionArn, context.logGroupName,\n"
        "    context.getRemainingTimeInMillis() > 0, process.env._X_AMZN_TRACE_ID.slice(0, 7),\n"
        "    process.env.AWS_EXECUTION_ENV];\n"
        "  }\n"
        "};\n";
    struct fixture *f = open_node("app.js", code, "app.handler");
    struct trip t;
    expect_whole(f, "{\"do\":\"echo\",\"n\":[1,2.5,null]}", "{\"do\":\"echo\",\"n\":[1,2.5,null]}");
    expect_whole(f, "{\"do\":\"nothing\"}", "null");
    expect_whole(f, "{\"do\":\"never\"}", "null");
    expect_whole(
        f, "{\"do\":\"context\"}",
        "[\"fn\",\"$LATEST\",\"128\",\"arn:aws:lambda:eu-west-1:000000000000:function:fn\","
        "\"/aws/lambda/fn\",true,\"Root=1-\",\"AWS_Lambda_nodejs20.x\"]");
    expect(f, "{\"do\":\"big\"}", OUTCOME_OK, "xxx");
    expect(
        f, "{\"do\":\"raise\"}", OUTCOME_FAILED,
        "{\"errorType\":\"TypeError\",\"errorMessage\":\"thing\",\"trace\":[\"TypeError: thing\","
        "\"    at ");
    expect(f, "{\"do\":\"string\"}", OUTCOME_FAILED,
           "{\"errorType\":\"string\",\"errorMessage\":\"words\",\"trace\":[]}");
    expect(f, "{\"do\":\"circular\"}", OUTCOME_FAILED, "Runtime.MarshalError");
    expect(f, "{\"do\":\"bigint\"}", OUTCOME_FAILED, "Runtime.MarshalError");
    expect(f, "not json", OUTCOME_FAILED, "\"errorType\":\"SyntaxError\"");
    expect(f, "{\"do\":\"timer\"}", OUTCOME_FAILED,
           "{\"errorType\":\"RangeError\",\"errorMessage\":\"later\"");
    expect(f, "{\"do\":\"reject\"}", OUTCOME_FAILED, "Runtime.UnhandledPromiseRejection");
    trip_go(f, &t, "{\"do\":\"print\"}");
    assert_contains(t.d.reply.log_tail.p, "\nprinted\n");
    assert_contains(t.d.reply.log_tail.p, "\non stderr\n");
    trip_clear(&t);
    expect(f, "{\"do\":\"exit\"}", OUTCOME_FAILED, "exit status 4");
    fixture_free(f);
}

static void test_node_callbacks(void **state)
{
    (void)state;
    static const char code[] =
        "exports.handler = (event, context, callback) => {\n"
        "  switch (event) {\n"
        "  case 'callback': callback(null, 'called'); break;\n"
        "  case 'error': callback(new Error('bad')); break;\n"
        "  case 'later': setTimeout(() => callback(null, 'late'), 20); break;\n"
        "  case 'waits': callback(null, 'first'); setTimeout(() => console.log('second'), 50);\n"
        "    break;\n"
        "  case 'hurries': context.callbackWaitsForEmptyEventLoop = false;\n"
        "    callback(null, 'quick'); setTimeout(() => {}, 60000); break;\n"
        "  case 'done': context.done(null, 'done'); break;\n"
        "  case 'succeed': context.succeed('well'); break;\n"
        "  case 'fail': context.fail(new Error('failed')); break;\n"
        "  }\n"
        "};\n"
        "exports.sync = (event) => event + 1;\n";
    struct fixture *f = open_node("app.js", code, "app.handler");
    struct trip t;
    expect_whole(f, "\"callback\"", "\"called\"");
    expect_whole(f, "\"later\"", "\"late\"");
    expect_whole(f, "\"nothing\"", "null");
    expect_whole(f, "\"done\"", "\"done\"");
    expect_whole(f, "\"succeed\"", "\"well\"");
    expect(f, "\"fail\"", OUTCOME_FAILED, "\"errorMessage\":\"failed\"");
    expect(f, "\"error\"", OUTCOME_FAILED, "\"errorMessage\":\"bad\"");
    trip_go(f, &t, "\"waits\"");
    assert_body(&t, "\"first\"");
    assert_contains(t.d.reply.log_tail.p, "\nsecond\nEND");
    trip_clear(&t);
    expect_whole(f, "\"hurries\"", "\"quick\"");
    fixture_free(f);
    f = open_node("app.js", code, "app.sync");
    expect_whole(f, "41", "42");
    fixture_free(f);
}

static void test_node_streams(void **state)
{
    (void)state;
    static const char code[] =
        "exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {\n"
        "  if (event === 'throw') throw new Error('before');\n"
        "  if (event === 'http') stream = awslambda.HttpResponseStream.from(stream,\n"
        "    { statusCode: 201 });\n"
        "  stream.write('one,');\n"
        "  if (event === 'break') { stream.destroy(new Error('midway')); return; }\n"
        "  if (event === 'open') return;\n"
        "  setTimeout(() => { stream.write(Buffer.from('two')); stream.end(); }, 5);\n"
        "});\n";
    struct fixture *f = open_node("app.js", code, "app.handler");
    struct trip t;
    expect_whole(f, "1", "one,two");
    expect_whole(f, "\"open\"", "one,");
    expect(f, "\"throw\"", OUTCOME_FAILED, "\"errorMessage\":\"before\"");
    expect(f, "\"break\"", OUTCOME_FAILED, "\"errorMessage\":\"midway\"");
    trip_go(f, &t, "\"http\"");
    static const char whole[] = "{\"statusCode\":201}\0\0\0\0\0\0\0\0one,two";
    assert_int_equal(t.d.reply.body.n, sizeof whole - 1);
    assert_memory_equal(t.d.reply.body.p, whole, sizeof whole - 1);
    trip_clear(&t);
    fixture_free(f);
}

static void test_node_modules(void **state)
{
    (void)state;
    struct fixture *f = open_node("app.mjs", "export const fn = async () => 'esm';\n", "app.fn");
    expect_whole(f, "{}", "\"esm\"");
    fixture_free(f);
    f = open_node("app.cjs", "exports.fn = () => 'cjs';\n", "app.fn");
    expect_whole(f, "{}", "\"cjs\"");
    fixture_free(f);

    f = fixture_new();
    char path[200];
    snprintf(path, sizeof path, "%s/lib", f->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    fixture_write(f, "package.json", "{\"type\":\"module\"}", 0644);
    fixture_write(f, "lib/app.js", "export default { fn: async () => 'typed' };\n", 0644);
    f->runtime.name = "nodejs20.x";
    f->runtime.handler = "lib/app.fn";
    fixture_open(f);
    expect_whole(f, "{}", "\"typed\"");
    fixture_free(f);
}

static void test_node_init(void **state)
{
    (void)state;
    static const struct {
        const char *file, *code, *part;
    } cases[] = {
        {"none.js", "", "\"errorType\":\"Runtime.ImportModuleError\""},
        {"app.js", "require('nothing-there');", "Runtime.ImportModuleError"},
        {"app.mjs", "import 'nothing-there';", "Runtime.ImportModuleError"},
        {"app.js", "exports.x = 1;", "Runtime.HandlerNotFound"},
        {"app.js", "exports.handler = 1;", "Runtime.HandlerNotFound"},
        {"app.js", "exports.handler = (", "Runtime.UserCodeSyntaxError"},
        {"app.mjs", "export const handler = (", "Runtime.UserCodeSyntaxError"},
        {"app.js", "throw new RangeError('at load');",
         "{\"errorType\":\"RangeError\",\"errorMessage\":\"at load\""},
        {"app.js", "process.exit(9);", "exit status 9"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = open_node(cases[i].file, cases[i].code, "app.handler");
        expect(f, "{}", OUTCOME_FAILED, cases[i].part);
        fixture_free(f);
    }
}

static bool have(const char *program)
{
    char *found = runtime_find_program(program, getenv("PATH"), false);
    free(found);
    return found != NULL;
}

int main(void)
{
    const struct CMUnitTest python[] = {
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_python_context),
        cmocka_unit_test(test_python_init),
        cmocka_unit_test(test_python_folders),
    };
    const struct CMUnitTest node[] = {
        cmocka_unit_test(test_node),         cmocka_unit_test(test_node_callbacks),
        cmocka_unit_test(test_node_streams), cmocka_unit_test(test_node_modules),
        cmocka_unit_test(test_node_init),
    };
    int failed = 0;
    if (have("python3"))
        failed += fixture_main(python, ARRAY_LEN(python));
    if (have("node"))
        failed += fixture_main(node, ARRAY_LEN(node));
    return failed;
}
