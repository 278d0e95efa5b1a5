/* lambda.h - the lambda sink's parts: requests to the Invoke API, and what its answers mean. */
#ifndef LAMBDA_H
#define LAMBDA_H

#include "engine/sink.h"
#include "io/aws_client.h"

/* lambda_judge.c: fill the delivery's reply from the finished call (whose body they may take). */
void lambda_judge(struct delivery *, struct aws_call *);
/* The same for the Runtime Interface Emulator, which hides errors in bodies: invoke-api.md 8. */
void lambda_judge_emulator(struct delivery *, struct aws_call *);

#endif
