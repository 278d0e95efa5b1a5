// The test function of all languages, on aws-lambda-go: the event says what to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do      string `json:"do"`
	Value   any    `json:"value"`
	Message string `json:"message"`
	Bytes   int    `json:"bytes"`
	Ms      int    `json:"ms"`
	Code    int    `json:"code"`
	Name    string `json:"name"`
	Text    string `json:"text"`
}

func handle(ctx context.Context, in event) (any, error) {
	switch in.Do {
	case "echo":
		return map[string]any{"echo": in.Value}, nil
	case "throw":
		return nil, errors.New(in.Message)
	case "size":
		return strings.Repeat("x", in.Bytes), nil
	case "sleep":
		time.Sleep(time.Duration(in.Ms) * time.Millisecond)
		return "slept", nil
	case "exit":
		os.Exit(in.Code)
	case "panic":
		panic(in.Message)
	case "env":
		return os.Getenv(in.Name), nil
	case "pid":
		return os.Getpid(), nil
	case "print":
		fmt.Println(in.Text)
		return "printed", nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"requestId": lc.AwsRequestID, "arn": lc.InvokedFunctionArn,
			"remainingMs": time.Until(deadline).Milliseconds()}, nil
	}
	return nil, fmt.Errorf("unknown do: %q", in.Do)
}

func main() {
	if os.Getenv("TEST_INIT") == "fail" {
		fmt.Fprintln(os.Stderr, "init fails on purpose")
		os.Exit(1)
	}
	lambda.Start(handle)
}
