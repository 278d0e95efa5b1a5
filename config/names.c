/* names.c - which words of AWS are known but refused, and what a misspelt word meant. */
#include "config/names.h"

#include <string.h>

static const char template[] = "here: this is not a SAM template; put the Properties of each "
                               "AWS::Serverless::Function below Functions";
static const char iam[] =
    "here: there is no IAM; functions run with the rights of the gateway's user";
static const char network[] = "here: functions use the network of this machine";
static const char deploy[] = "here: there are no versions and deployments; the file is the "
                             "deployment";
static const char account[] = "here: it means something only inside an AWS account";

static const struct names_entry file_names[] = {
    {"AWSTemplateFormatVersion", template},
    {"Conditions", template},
    {"Description", template},
    {"Globals", template},
    {"Mappings", template},
    {"Metadata", template},
    {"Outputs", template},
    {"Parameters", template},
    {"Resources", template},
    {"Rules", template},
    {"Transform", template},
    {NULL, NULL},
};

static const struct names_entry gateway_names[] = {
    {"Listen", NULL},
    {NULL, NULL},
};

static const struct names_entry function_names[] = {
    {"AcceleratorConfig", account},
    {"Architectures", "here: code runs on this machine's processor"},
    {"AssumeRolePolicyDocument", iam},
    {"AutoPublishAlias", deploy},
    {"AutoPublishAliasAllProperties", deploy},
    {"AutoPublishCodeSha256", deploy},
    {"CapacityProviderConfig", account},
    {"Code", "here: SAM's word is CodeUri, a directory on this machine"},
    {"CodeSigningConfigArn", account},
    {"DeadLetterConfig", NULL},
    {"DeadLetterQueue", NULL},
    {"DeploymentPreference", deploy},
    {"DurableConfig", NULL},
    {"EphemeralStorage", "here: functions use this machine's /tmp"},
    {"EventInvokeConfig", NULL},
    {"FileSystemConfigs", "here: functions see the files of this machine"},
    {"FunctionName", "here: the key below Functions is the name"},
    {"FunctionScalingConfig", account},
    {"FunctionUrlConfig", NULL},
    {"ImageConfig", "by this build: images are not run; use Command"},
    {"ImageUri", "by this build: images are not run; use Command, or InvokeEndpoint for an image "
                 "with the runtime interface emulator"},
    {"InlineCode", "by this build: put the code into a file and name its directory in CodeUri"},
    {"KMSKeyArn", account},
    {"KmsKeyArn", account},
    {"Layers", "here: put what the function needs into CodeUri or on this machine"},
    {"LoggingConfig",
     "here: logs go to the gateway's stderr (Gateway.LogFormat, Gateway.LogLevel)"},
    {"PackageType", "by this build: functions are directories or commands, not images"},
    {"PermissionsBoundary", iam},
    {"Policies", iam},
    {"PropagateTags", account},
    {"Properties", "here: write the properties directly below the function's name"},
    {"Publish", deploy},
    {"PublishTo", deploy},
    {"PublishToLatestPublished", deploy},
    {"RecursiveLoop", NULL},
    {"Role", iam},
    {"RolePath", iam},
    {"RuntimeConfig", account},
    {"RuntimeManagementConfig", "here: the runtime is what this machine has installed"},
    {"SnapStart", "here: processes are kept ready by ProvisionedConcurrencyConfig"},
    {"SourceKMSKeyArn", account},
    {"Tags", account},
    {"TenancyConfig", NULL},
    {"Tracing", NULL},
    {"TracingConfig", NULL},
    {"Type", "here: everything below Functions is a function"},
    {"VersionDeletionPolicy", deploy},
    {"VersionDescription", deploy},
    {"VpcConfig", network},
    {NULL, NULL},
};

static const char encryption[] = "here: the store is not encrypted by the gateway; put it on an "
                                 "encrypted disk";

static const struct names_entry queue_names[] = {
    {"DeletionPolicy", "here: a queue that leaves the file is deleted only when it is empty"},
    {"KmsDataKeyReusePeriodSeconds", encryption},
    {"KmsMasterKeyId", encryption},
    {"Policy", iam},
    {"Properties", "here: write the properties directly below the queue's name"},
    {"SqsManagedSseEnabled", encryption},
    {"Type", "here: everything below Queues is a queue"},
    {NULL, NULL},
};

static const struct names_entry event_names[] = {
    {"AmazonManagedKafkaEventSourceConfig", NULL},
    {"BatchSize", NULL},
    {"BisectBatchOnFunctionError", NULL},
    {"Broker", NULL},
    {"Bucket", NULL},
    {"Cluster", NULL},
    {"Collection", NULL},
    {"ConsumerGroupId", NULL},
    {"DatabaseName", NULL},
    {"DestinationConfig", NULL},
    {"DocumentDBEventSourceConfig", NULL},
    {"DynamicPolicyName", iam},
    {"Enabled", NULL},
    {"EventSourceArn", "here: SAM's word is Queue"},
    {"FilterCriteria", NULL},
    {"FullDocument", NULL},
    {"FunctionName", "here: the function is the one that the event stands in"},
    {"FunctionResponseTypes", NULL},
    {"KMSKeyArn", account},
    {"KafkaBootstrapServers", NULL},
    {"KmsKeyArn", account},
    {"LoggingConfig", "here: logs go to the gateway's stderr"},
    {"MaximumBatchingWindowInSeconds", NULL},
    {"MaximumRecordAgeInSeconds", NULL},
    {"MaximumRetryAttempts", NULL},
    {"MetricsConfig", "here: all metrics are always on, at /metrics"},
    {"ParallelizationFactor", NULL},
    {"ProvisionedPollerConfig", NULL},
    {"Queue", NULL},
    {"Queues", NULL},
    {"ScalingConfig", NULL},
    {"SchemaRegistryConfig", NULL},
    {"SecretsManagerKmsKeyId", account},
    {"SelfManagedEventSource", NULL},
    {"SelfManagedKafkaEventSourceConfig", NULL},
    {"SourceAccessConfigurations", NULL},
    {"StartingPosition", NULL},
    {"StartingPositionTimestamp", NULL},
    {"Stream", NULL},
    {"Tags", account},
    {"Topic", NULL},
    {"Topics", NULL},
    {"TumblingWindowInSeconds", NULL},
    {NULL, NULL},
};

static const struct names_entry service_names[] = {
    {"dynamodb", NULL},
    {"events", NULL},
    {"firehose", NULL},
    {"kinesis", NULL},
    {"lambda", "here: InvokeEndpoint of each function names its Lambda API"},
    {"s3", NULL},
    {"sns", NULL},
    {"sts", NULL},
    {NULL, NULL},
};

/* Members of CreateEventSourceMapping that AWS itself refuses for a queue. */
static const char *const not_for_queues[] = {
    "AmazonManagedKafkaEventSourceConfig",
    "BisectBatchOnFunctionError",
    "DocumentDBEventSourceConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Topics",
    "TumblingWindowInSeconds",
};

const char *const names_event_types[] = {"SQS",
                                         "Kinesis",
                                         "DynamoDB",
                                         "MSK",
                                         "SelfManagedKafka",
                                         "MQ",
                                         "DocumentDB",
                                         "S3",
                                         "SNS",
                                         "EventBridgeRule",
                                         "CloudWatchEvent",
                                         "Schedule",
                                         "ScheduleV2",
                                         "Api",
                                         "HttpApi",
                                         "CloudWatchLogs",
                                         "IoTRule",
                                         "Cognito",
                                         "AlexaSkill",
                                         "Alb",
                                         "WebSocket",
                                         "Redis",
                                         NULL};

const struct names_entry *names_of(enum names_place place)
{
    static const struct names_entry *const places[] = {
        [NAMES_FILE] = file_names,         [NAMES_GATEWAY] = gateway_names,
        [NAMES_FUNCTION] = function_names, [NAMES_EVENT] = event_names,
        [NAMES_SERVICE] = service_names,   [NAMES_QUEUE] = queue_names,
    };
    return places[place];
}

const char *names_refusal(enum names_place place, struct slice name, struct arena *arena)
{
    for (const struct names_entry *it = names_of(place); it->name != NULL; it++)
        if (slice_is(name, it->name))
            return arena_printf(arena, "%s is not supported %s", it->name,
                                it->why != NULL ? it->why : "by this build");
    return NULL;
}

const char *names_event_refusal(const char *event_type, struct slice name, struct arena *arena)
{
    static const char text[] = "parameter for given event source mapping type.";
    bool queue = strcmp(event_type, "SQS") == 0;
    if (queue && slice_is(name, "DestinationConfig"))
        return arena_printf(arena, "Unsupported DestinationConfig %s", text);
    for (size_t i = 0; queue && i < ARRAY_LEN(not_for_queues); i++) {
        if (!slice_is(name, not_for_queues[i]))
            continue;
        return arena_printf(arena, "Unsupported '%c%s' %s", name.p[0] - 'A' + 'a', name.p + 1,
                            text);
    }
    return names_refusal(NAMES_EVENT, name, arena);
}

enum { WORD_MAX = 64 };

/* Lower case, without - and _. Longer words are not compared. */
static size_t fold(struct slice word, char out[WORD_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < word.n && n < WORD_MAX; i++) {
        char c = word.p[i];
        if (c == '-' || c == '_')
            continue;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swapped neighbours. */
static size_t distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t rows[3][WORD_MAX + 1] = {{0}}; /* the one before the last, the last, this one */
    for (size_t j = 0; j <= b_n; j++)
        rows[1][j] = j;
    for (size_t i = 1; i <= a_n; i++) {
        rows[2][0] = i;
        for (size_t j = 1; j <= b_n; j++) {
            size_t best = rows[1][j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(rows[1][j], rows[2][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, rows[0][j - 2] + 1);
            rows[2][j] = best;
        }
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
    }
    return rows[1][b_n];
}

const char *names_nearest(struct slice word, const char *const *candidates)
{
    char a[WORD_MAX], b[WORD_MAX];
    size_t a_n = fold(word, a), best = SIZE_MAX;
    const char *found = NULL;
    if (word.n == 0 || word.n > WORD_MAX)
        return NULL;
    for (; *candidates != NULL; candidates++) {
        size_t b_n = fold(slice_of(*candidates), b);
        size_t d = distance(a, a_n, b, b_n);
        size_t allowed = least(a_n, b_n) / 3;
        if (d < best && d <= (allowed > 0 ? allowed : 1) && d < least(a_n, b_n)) {
            best = d;
            found = *candidates;
        }
    }
    return found;
}
