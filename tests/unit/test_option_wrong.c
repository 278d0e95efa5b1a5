/* test_option_wrong.c - values that do not fit their options, and what is said about each. */
#include "tests/unit/option_thing.h"

struct wrong {
    bool aws;
    const char *text, *problems;
};

static const struct wrong wrongs[] = {
    {true, "BatchSize: 1", "1: Queue: is required: The queue's ARN."},
    {true, "Queue: ''", "1: Queue: must not be empty"},
    {true, "Queue:", "1: Queue: expected text, found nothing"},
    {true, "Queue: [a]", "1: Queue: expected text, found a list"},
    {true, "Queue: {Ref: Orders}",
     "1: Queue: Ref is resolved by CloudFormation, not here: write the ARN itself (or "
     "${ENV_NAME})"},
    {true, "Queue:\n  Fn::GetAtt: [Orders, Arn]",
     "1: Queue: Fn::GetAtt is resolved by CloudFormation, not here: write the ARN itself (or "
     "${ENV_NAME})"},
    {true, "Queue: q\nBatchSize: 10001",
     "2: BatchSize: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have "
     "value less than or equal to 10000"},
    {true, "Queue: q\nBatchSize: 0",
     "2: BatchSize: Value '0' at 'batchSize' failed to satisfy constraint: Member must have value "
     "greater than or equal to 1"},
    {true, "Queue: q\nScalingConfig:\n  MaximumConcurrency: 1",
     "3: ScalingConfig.MaximumConcurrency: Value '1' at 'scalingConfig.maximumConcurrency' failed "
     "to satisfy constraint: Member must have value greater than or equal to 2"},
    {false, "Queue: q\nBatchSize: 10001", "2: BatchSize: '10001' is out of range: 1 to 10000"},
    {true, "Queue: q\nBatchSize: ten", "2: BatchSize: expected a whole number, found 'ten'"},
    {true, "Queue: q\nBatchSize: 1.5", "2: BatchSize: expected a whole number, found '1.5'"},
    {true, "Queue: q\nBatchSize: 010", "2: BatchSize: expected a whole number, found '010'"},
    {true, "Queue: q\nBatchSize: 0x10", "2: BatchSize: expected a whole number, found '0x10'"},
    {true, "Queue: q\nBatchSize: 99999999999999999999",
     "2: BatchSize: expected a whole number, found '99999999999999999999'"},
    {true, "Queue: q\nBatchSize: {}", "2: BatchSize: expected a whole number, found a mapping"},
    {true, "Queue: q\nBatchSize: ~", "2: BatchSize: expected a whole number, found nothing"},
    {true, "Queue: q\nBatchSize: ''", "2: BatchSize: expected a whole number, found ''"},
    {true, "Queue: q\nReserved: -1",
     "2: Reserved: Value '-1' at 'reserved' failed to satisfy constraint: Member must have value "
     "greater than or equal to 0"},
    {true, "Queue: q\nEnabled: yes", "2: Enabled: expected true or false, found 'yes'"},
    {true, "Queue: q\nEnabled: 1", "2: Enabled: expected true or false, found '1'"},
    {true, "Queue: q\nDrain: soon",
     "2: Drain: expected a duration (250ms, 20s, 5m, 1h, 1d), found 'soon'"},
    {true, "Queue: q\nDrain: 10ms", "2: Drain: '10ms' is out of range: 1s to 1h"},
    {true, "Queue: q\nDrain: 1d", "2: Drain: '1d' is out of range: 1s to 1h"},
    {true, "Queue: q\nColor: blue",
     "2: Color: Value 'blue' at 'color' failed to satisfy constraint: Member must satisfy enum "
     "value set: [red, green]"},
    {false, "Queue: q\nColor: blue", "2: Color: 'blue' is not one of red, green"},
    {false, "Queue: q\nColor: [red]", "2: Color: expected one of red, green, found a list"},
    {true, "Queue: q\nColors:\n  - red\n  - blue",
     "4: Colors[1]: Value 'blue' at 'colors' failed to satisfy constraint: Member must satisfy "
     "enum value set: [red, green]"},
    {true, "Queue: q\nColors: {red: green}", "2: Colors: expected a list, found a mapping"},
    {true, "Queue: q\nColors:", "2: Colors: expected a list, found nothing"},
    {true, "Queue: q\nCommand: [a, [b]]", "2: Command[1]: expected text, found a list"},
    {true, "Queue: q\nCommand: [a, ~]", "2: Command[1]: expected text, found nothing"},
    {true, "Queue: q\nCodeUri: ''", "2: CodeUri: must not be empty"},
    {true, "Queue: q\nCodeUri: s3://bucket/key",
     "2: CodeUri: 's3://bucket/key': expected a path on this machine, not a URL"},
    {true, "Queue: q\nEnvironment: {Variables: [A]}",
     "2: Environment.Variables: expected a mapping (Name: value), found a list"},
    {true, "Queue: q\nEnvironment:\n  Variables:\n    A: {B: c}\n    D:",
     "4: Environment.Variables.A: expected text, found a mapping\n"
     "5: Environment.Variables.D: expected text, found nothing"},
    {true, "Queue: q\nEnvironment: A=b",
     "2: Environment: expected a mapping (Name: value), found 'A=b'"},
    {true, "Queue: q\nPassword: [hidden]", "2: Password: expected text, found a list"},
    {true, "Queue: q\nPassword: 'file:'", "2: Password: file: needs the path of a file"},
    {true, "Queue: q\nPassword: file:none.txt",
     "2: Password: /nowhere/none.txt: cannot read: No such file or directory"},
    {true, "Queue: q\nPassword: file:/", "2: Password: /: cannot read: it is a directory"},
    {true, "Queue: q\nBatchsize: 3",
     "2: Batchsize: unknown member Batchsize; did you mean BatchSize?"},
    {true, "Queue: q\nbatch_size: 3",
     "2: batch_size: unknown member batch_size; did you mean BatchSize?"},
    {true, "Queue: q\nEvent: {}", "2: Event: unknown member Event; did you mean Events?"},
    {true, "Queue: q\nPlanet: x", "2: Planet: unknown member Planet"},
    {true, "Queue: q\nRole: x", "2: Role: Role is not for us"},
    {true, "Queue: q\nScalingConfig:\n  MaxConcurrency: 3",
     "3: ScalingConfig.MaxConcurrency: unknown member MaxConcurrency; did you mean "
     "MaximumConcurrency?"},
    {true, "Queue: q\nScalingConfig:\n  Role: 3", "3: ScalingConfig.Role: unknown member Role"},
    {true, "Queue: q\nEnvironment:\n  Variable: {A: b}",
     "3: Environment.Variable: unknown member Variable; did you mean Variables?"},
    {true, "Queue: q\nScalingConfig.MaximumConcurrency: 3",
     "2: ScalingConfig.MaximumConcurrency: unknown member ScalingConfig.MaximumConcurrency"},
    {true, "Enabled: maybe\nBatchSize: x\nQueu: q",
     "1: Enabled: expected true or false, found 'maybe'\n"
     "1: Queue: is required: The queue's ARN.\n"
     "2: BatchSize: expected a whole number, found 'x'\n"
     "3: Queu: unknown member Queu; did you mean Queue?"},
};

static void wrong_values_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        struct fixture f;
        apply(&f, wrongs[i].text, "/nowhere", wrongs[i].aws);
        expect_problems(&f, wrongs[i].text, wrongs[i].problems);
        assert_false(f.ok);
        clear(&f);
    }
}

static void long_values_are_shortened(void **state)
{
    (void)state;
    struct fixture f;
    struct buf text, expected;
    buf_init(&text, 10000);
    buf_init(&expected, 10000);
    buf_str(&text, "Queue: q\nBatchSize: x");
    for (int i = 0; i < 1000; i++)
        buf_str(&text, "é");
    buf_str(&expected, "2: BatchSize: expected a whole number, found 'x");
    for (int i = 0; i < 39; i++)
        buf_str(&expected, "é");
    buf_str(&expected, "…'");
    apply(&f, text.p, "/", true);
    expect_problems(&f, "a long value", expected.p);
    clear(&f);
    buf_free(&text);
    buf_free(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_values_are_told),
        cmocka_unit_test(long_values_are_shortened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
