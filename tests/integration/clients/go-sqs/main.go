// The AWS SDK for Go against the embedded queues, unmodified; it checks the MD5s by itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func check(ok bool, what string, got any) {
	if !ok {
		must(0, fmt.Errorf("%s: %+v", what, got))
	}
}

func batch(ctx context.Context, client *sqs.Client, url *string) {
	var entries []types.SendMessageBatchRequestEntry
	for i := 0; i < 10; i++ {
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String("body " + strconv.Itoa(i)),
			MessageGroupId: aws.String("g" + strconv.Itoa(i%2)),
		})
	}
	sent := must(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries}))
	check(len(sent.Successful) == 10 && len(sent.Failed) == 0, "send batch", sent)
	check(sent.Successful[0].SequenceNumber != nil, "sequence number", sent)
	got := must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 2,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	}))
	last := map[string]string{}
	var done []types.DeleteMessageBatchRequestEntry
	for i, m := range got.Messages {
		group := m.Attributes["MessageGroupId"]
		check(last[group] < *m.Body, "order of "+group, *m.Body)
		last[group] = *m.Body
		done = append(done, types.DeleteMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	check(len(got.Messages) > 0, "received", got)
	deleted := must(client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: done}))
	check(len(deleted.Successful) == len(done), "delete batch", deleted)
}

func main() {
	ctx := context.Background()
	client := sqs.New(sqs.Options{
		BaseEndpoint: aws.String(os.Args[1]), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("test", "secret", ""),
	})
	made := must(client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName:  aws.String("go.fifo"),
		Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"},
		Tags:       map[string]string{"made": "by go"},
	}))
	batch(ctx, client, made.QueueUrl)
	told := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}}))
	check(told.Attributes["FifoQueue"] == "true", "attributes", told.Attributes)
	_, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nobody")})
	var missing *types.QueueDoesNotExist
	check(errors.As(err, &missing), "an error of its own type", err)
	must(client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl}))
	fmt.Println("ok")
}
