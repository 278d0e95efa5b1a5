package penstock;

import com.amazonaws.services.lambda.runtime.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The test function of all languages, on the Java client: the event says what to do. */
public class Handler {
    public Handler() {
        if ("fail".equals(System.getenv("TEST_INIT"))) {
            throw new IllegalStateException("init fails on purpose");
        }
    }

    private static String text(Map<String, Object> in, String name) {
        Object value = in.get(name);
        return value == null ? "" : value.toString();
    }

    private static int number(Map<String, Object> in, String name) {
        Object value = in.get(name);
        return value == null ? 0 : ((Number) value).intValue();
    }

    public Object handle(Map<String, Object> in, Context context) throws Exception {
        switch (text(in, "do")) {
            case "echo":
                return java.util.Collections.singletonMap("echo", in.get("value"));
            case "throw":
                throw new IllegalArgumentException(text(in, "message"));
            case "size":
                return "x".repeat(number(in, "bytes"));
            case "sleep":
                Thread.sleep(number(in, "ms"));
                return "slept";
            case "exit":
                Runtime.getRuntime().halt(number(in, "code"));
                return null;
            case "memory":
                List<byte[]> held = new ArrayList<>();
                for (;;) {
                    held.add(new byte[64 << 20]);
                }
            case "env":
                return System.getenv(text(in, "name"));
            case "pid":
                return ProcessHandle.current().pid();
            case "print":
                System.out.println(text(in, "text"));
                return "printed";
            case "context":
                return Map.of("requestId", context.getAwsRequestId(),
                        "arn", context.getInvokedFunctionArn(),
                        "remainingMs", context.getRemainingTimeInMillis());
            default:
                throw new IllegalArgumentException("unknown do: " + text(in, "do"));
        }
    }
}
