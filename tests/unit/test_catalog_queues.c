/* test_catalog_queues.c - the section Queues: what it becomes, and every reason to refuse it. */
#include "tests/unit/catalog_adapters.h"

#define ARN(name) "arn:aws:sqs:us-east-1:000000000000:" name
#define FIFO_RULE                                                                                  \
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, " \
    "must end with .fifo suffix and be 1 to 80 in length"
#define NAME_RULE                                                                                  \
    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "               \
    "length"
#define LONG_75 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct catalog_queue *queue_of(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->n_queues; i++)
        if (strcmp(c->queues[i].name, name) == 0)
            return &c->queues[i];
    fail_msg("no queue %s", name);
    return NULL;
}

static void queues_are_read(void **state)
{
    (void)state;
    struct catalog *c = load_good(
        "Queues:\n"
        "  orders:\n"
        "    VisibilityTimeout: 45\n"
        "    RedrivePolicy: {deadLetterTargetArn: '" ARN(
            "orders-dead") "', maxReceiveCount: 3}\n"
                           "    Tags: [{Key: team, Value: blue}, {Key: empty, Value: ''}]\n"
                           "  orders-dead: {}\n"
                           "  empty:\n"
                           "  made-by-api: {RedrivePolicy: {deadLetterTargetArn: '" ARN(
                               "elsewhere") "', maxReceiveCount: 1}, FifoQueue: false, QueueName: "
                                            "made-by-api}\n"
                                            "  group.fifo:\n"
                                            "    FifoQueue: true\n"
                                            "    ContentBasedDeduplication: true\n"
                                            "    DeduplicationScope: messageGroup\n"
                                            "    FifoThroughputLimit: perMessageGroupId\n"
                                            "  plain.fifo:\n"
                                            "    RedriveAllowPolicy: {redrivePermission: byQueue, "
                                            "sourceQueueArns: [" ARN("group.fifo") "]}\n");
    static const char *const names[] = {"empty",  "group.fifo",  "made-by-api",
                                        "orders", "orders-dead", "plain.fifo"};
    assert_int_equal(c->n_queues, ARRAY_LEN(names));
    assert_int_equal(c->n_functions, 0);
    for (size_t i = 0; i < c->n_queues; i++)
        assert_string_equal(c->queues[i].name, names[i]);
    const struct catalog_queue *q = queue_of(c, "orders");
    assert_int_equal(q->settings.visibility_s, 45);
    assert_string_equal(q->settings.dead_arn, ARN("orders-dead"));
    assert_int_equal(q->settings.max_receives, 3);
    assert_null(q->settings.redrive_allow);
    assert_false(q->settings.fifo);
    assert_int_equal(q->tags.n, 2);
    assert_string_equal(q->tags.names[0], "team");
    assert_string_equal(q->tags.values[0], "blue");
    assert_string_equal(q->tags.values[1], "");
    q = queue_of(c, "empty");
    assert_int_equal(q->settings.visibility_s, 30);
    assert_null(q->settings.dead_arn);
    assert_int_equal(q->tags.n, 0);
    q = queue_of(c, "group.fifo");
    assert_true(q->settings.fifo && q->settings.content_dedup);
    assert_true(q->settings.dedup_per_group && q->settings.throughput_per_group);
    q = queue_of(c, "plain.fifo");
    assert_true(q->settings.fifo);
    assert_false(q->settings.content_dedup || q->settings.dedup_per_group);
    assert_string_equal(
        q->settings.redrive_allow,
        "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"" ARN("group.fifo") "\"]}");
    catalog_free(c);
}

static bool same_text(const char *a, const char *b)
{
    struct catalog *x = load_good(a), *y = load_good(b);
    bool same = strcmp(x->queues[0].text, y->queues[0].text) == 0;
    catalog_free(x);
    catalog_free(y);
    return same;
}

static void texts_tell_changes(void **state)
{
    (void)state;
    static const char plain[] = "{Queues: {q: {Tags: [{Key: a, Value: b}, {Key: c, Value: d}]}}}";
    assert_true(same_text(plain, "{Queues: {q: {QueueName: q, VisibilityTimeout: 30, FifoQueue: "
                                 "false, Tags: [{Key: c, Value: d}, {Value: b, Key: a}]}}}"));
    assert_false(same_text(plain, "{Queues: {q: {Tags: [{Key: a, Value: b}]}}}"));
    assert_false(same_text("{Queues: {q: {}}}", "{Queues: {q: {VisibilityTimeout: 31}}}"));
    assert_true(same_text("{Queues: {q: {}}}", "{Queues: {q: }}"));
    assert_true(same_text("{Queues: {q: {RedriveAllowPolicy: {redrivePermission: allowAll}}}}",
                          "{Queues: {q: {RedriveAllowPolicy: "
                          "'{\"redrivePermission\":\"allowAll\"}'}}}"));
    assert_false(same_text("{Queues: {q: {}}}",
                           "{Queues: {q: {RedriveAllowPolicy: {redrivePermission: denyAll}}}}"));
    assert_false(same_text("{Queues: {q.fifo: {}}}",
                           "{Queues: {q.fifo: {DeduplicationScope: messageGroup}}}"));
}

static const struct wrong wrong_queues[] = {
    {"Queues: [a]", "1: Queues: expected a mapping (Name: value), found a list"},
    {"Queues: {q: 3}", "1: Queues.q: expected a mapping (Name: value), found '3'"},
    {"Queues: {q: {}, q: {}}", "1: Queues.q: duplicate key q (first on line 1)"},
    /* names */
    {"Queues: {a.b: {}}", "1: Queues.a.b: " NAME_RULE},
    {"Queues: {'': {}}", "1: Queues.: " NAME_RULE},
    {"Queues: {ö: {}}", "1: Queues.ö: " NAME_RULE},
    {"Queues: {.fifo: {}}", "1: Queues..fifo: " FIFO_RULE},
    {"Queues: {" LONG_75 "aaaaaa: {}}", "1: Queues." LONG_75 "aaaaaa: " NAME_RULE},
    {"Queues: {" LONG_75 "a.fifo: {}}", "1: Queues." LONG_75 "a.fifo: " FIFO_RULE},
    {"Queues: {q: {FifoQueue: true}}", "1: Queues.q.FifoQueue: " FIFO_RULE},
    {"Queues: {q.fifo: {FifoQueue: false}}", "1: Queues.q.fifo.FifoQueue: " NAME_RULE},
    {"Queues: {q: {QueueName: p}}",
     "1: Queues.q.QueueName: 'p' is not the queue's name below Queues, 'q'"},
    /* members */
    {"Queues: {q: {VisibilityTimeou: 3}}",
     "1: Queues.q.VisibilityTimeou: unknown member VisibilityTimeou; did you mean "
     "VisibilityTimeout?"},
    {"Queues: {q: {VisibilityTimeout: 43201}}",
     "1: Queues.q.VisibilityTimeout: '43201' is out of range: 0 to 43200"},
    {"Queues:\n  q:\n    KmsMasterKeyId: k\n    SqsManagedSseEnabled: true\n    Type: x\n",
     "3: Queues.q.KmsMasterKeyId: KmsMasterKeyId is not supported here: the store is not encrypted "
     "by the gateway; put it on an encrypted disk\n"
     "4: Queues.q.SqsManagedSseEnabled: SqsManagedSseEnabled is not supported here: the store is "
     "not encrypted by the gateway; put it on an encrypted disk\n"
     "5: Queues.q.Type: Type is not supported here: everything below Queues is a queue"},
    {"Queues:\n  q:\n    ContentBasedDeduplication: true\n    DeduplicationScope: queue\n",
     "3: Queues.q.ContentBasedDeduplication: Unknown Attribute ContentBasedDeduplication. (it "
     "belongs to FIFO queues, whose names end in .fifo)\n"
     "4: Queues.q.DeduplicationScope: Unknown Attribute DeduplicationScope. (it belongs to FIFO "
     "queues, whose names end in .fifo)"},
    {"Queues: {q.fifo: {FifoThroughputLimit: perMessageGroupId}}",
     "1: Queues.q.fifo.FifoThroughputLimit: FifoThroughputLimit does not fit q.fifo"},
    /* redrive */
    {"Queues:\n  q:\n    RedrivePolicy: {deadLetterTargetArn: '" ARN("d") "'}\n",
     "3: Queues.q.RedrivePolicy: Redrive policy does not contain mandatory attribute: "
     "maxReceiveCount."},
    {"Queues:\n  q:\n    RedrivePolicy: {maxReceiveCount: 4}\n",
     "3: Queues.q.RedrivePolicy: Redrive policy does not contain mandatory attribute: "
     "deadLetterTargetArn."},
    {"Queues: {q: {RedrivePolicy: {deadLetterTargetArn: d, maxReceiveCount: 1}}}",
     "1: Queues.q.RedrivePolicy.deadLetterTargetArn: Value 'd' for parameter RedrivePolicy is "
     "invalid. Reason: Dead letter target does not exist. (it must be "
     "arn:aws:sqs:us-east-1:000000000000:NAME)"},
    {"Queues: {q: {RedrivePolicy: {deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000001:d', "
     "maxReceiveCount: 1}}}",
     "1: Queues.q.RedrivePolicy.deadLetterTargetArn: Value 'arn:aws:sqs:us-east-1:000000000001:d' "
     "for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist. (it must "
     "be arn:aws:sqs:us-east-1:000000000000:NAME)"},
    {"Queues:\n  q:\n    RedrivePolicy: {deadLetterTargetArn: '" ARN(
         "d.fifo") "', maxReceiveCount: 1}\n  d.fifo: {}\n",
     "3: Queues.q.RedrivePolicy.deadLetterTargetArn: Value '" ARN(
         "d.fifo") "' for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be "
                   "same type of queue as the source."},
    {"Queues:\n  q.fifo:\n    RedrivePolicy: {deadLetterTargetArn: '" ARN(
         "d") "', maxReceiveCount: 1}\n",
     "3: Queues.q.fifo.RedrivePolicy.deadLetterTargetArn: Value '" ARN(
         "d") "' for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same "
              "type of queue as the source."},
    {"Queues:\n  q:\n    RedrivePolicy: {deadLetterTargetArn: '" ARN(
         "d") "', maxReceiveCount: 1}\n  d: {RedriveAllowPolicy: {redrivePermission: denyAll}}\n",
     "3: Queues.q.RedrivePolicy.deadLetterTargetArn: Value '" ARN(
         "d") "' for parameter RedrivePolicy is invalid. Reason: The RedriveAllowPolicy of "
              "d does not allow this source queue."},
    {"Queues: {q: {RedriveAllowPolicy: {sourceQueueArns: [a], sourceQueues: b}}}",
     "1: Queues.q.RedriveAllowPolicy.sourceQueues: unknown member sourceQueues; did you mean "
     "sourceQueueArns?\n"
     "1: Queues.q.RedriveAllowPolicy.redrivePermission: is required: Which queues may use this one "
     "as their dead-letter queue."},
    {"Queues:\n  q:\n    RedriveAllowPolicy: '{}'\n",
     "3: Queues.q.RedriveAllowPolicy: Value {} for parameter RedriveAllowPolicy is invalid."},
    {"Queues: {q: {RedriveAllowPolicy: [a], VisibilityTimeout: -1}}",
     "1: Queues.q.VisibilityTimeout: '-1' is out of range: 0 to 43200\n"
     "1: Queues.q.RedriveAllowPolicy: expected text, found a list"},
    /* tags */
    {"Queues: {q: {Tags: {a: b}}}",
     "1: Queues.q.Tags: expected a list of at most 50 {Key, Value}, found a mapping"},
    {"Queues:\n  q:\n    Tags:\n    - {Key: a}\n    - {Key: '', Value: v}\n    - b\n"
     "    - {Key: k, Value: [v]}\n    - {Key: 'aws:x', Value: v}\n    - {Key: t, Value: v}\n"
     "    - {Key: t, Value: v}\n    - {Key: u, Value: v, More: w}\n",
     "4: Queues.q.Tags[0]: expected {Key: 1 to 128 characters, Value: 0 to 256 characters}, found "
     "a mapping\n"
     "5: Queues.q.Tags[1]: expected {Key: 1 to 128 characters, Value: 0 to 256 characters}, found "
     "a mapping\n"
     "6: Queues.q.Tags[2]: expected {Key: 1 to 128 characters, Value: 0 to 256 characters}, found "
     "'b'\n"
     "7: Queues.q.Tags[3]: expected {Key: 1 to 128 characters, Value: 0 to 256 characters}, found "
     "a mapping\n"
     "8: Queues.q.Tags[4].Key: 'aws:x': tags that begin with aws: are reserved\n"
     "10: Queues.q.Tags[6].Key: 't' stands twice\n"
     "11: Queues.q.Tags[7]: expected {Key: 1 to 128 characters, Value: 0 to 256 characters}, found "
     "a mapping"},
    /* an event on a queue of the file */
    {"Queues: {orders: {VisibilityTimeout: 5}}\n"
     "Functions:\n"
     "  f:\n"
     "    Url: http://x\n"
     "    Timeout: 6\n"
     "    Events:\n"
     "      Q: {Type: SQS, Properties: {Queue: " QUEUE "}}\n",
     "7: Functions.f.Events.Q: Queue visibility timeout: 5 seconds is less than Function timeout: "
     "6 "
     "seconds"},
};

static void queues_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong_queues); i++)
        expect_problems(&wrong_queues[i]);
}

static void what_is_allowed(void **state)
{
    (void)state;
    static const char *const good[] = {
        /* 80 characters, the suffix counted */
        "Queues: {" LONG_75 ".fifo: {}, " LONG_75 "aaaaa: {}}",
        /* exactly as long as the function may run */
        "Queues: {orders: {VisibilityTimeout: 5}}\n"
        "Functions: {f: {Url: 'http://x', Timeout: 5, Events: {Q: {Type: SQS, Properties: {Queue: "
        "'" QUEUE "'}}}}}",
        /* another region's queue of that name is another queue */
        "Queues: {orders: {VisibilityTimeout: 5}}\n"
        "Functions: {f: {Url: 'http://x', Timeout: 9, Events: {Q: {Type: SQS, Properties: {Queue: "
        "'arn:aws:sqs:eu-west-1:000000000000:orders'}}}}}",
        "Queues: {q: {RedrivePolicy: {deadLetterTargetArn: '" ARN(
            "d") "', maxReceiveCount: 1}}, d: "
                 "{RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: '" ARN(
                     "q") "'}}}",
        "Queues:\nFunctions: {}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        catalog_free(load_good(good[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_are_read),
        cmocka_unit_test(texts_tell_changes),
        cmocka_unit_test(queues_are_checked),
        cmocka_unit_test(what_is_allowed),
    };
    return cmocka_run_group_tests(tests, clean_environment, NULL);
}
