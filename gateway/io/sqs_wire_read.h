/* sqs_wire_read.h - what the readers of the two protocols share; only for sqs_wire*.c. */
#ifndef IO_SQS_WIRE_READ_H
#define IO_SQS_WIRE_READ_H

#include "io/sqs_wire.h"

enum sqs_read sqs_wire_read_json(struct sqs_answer *, enum sqs_op, int status, struct slice body);
enum sqs_read sqs_wire_read_xml(struct sqs_answer *, enum sqs_op, int status, struct slice body);

/* Sets fault, code and text from a code of either protocol. */
enum sqs_read sqs_wire_fault(struct sqs_answer *, int status, struct slice code, struct slice text);
/* An answer that is no answer of this protocol: by its status. */
enum sqs_read sqs_wire_unreadable(struct sqs_answer *, int status);
enum sqs_read sqs_wire_garbled(struct sqs_answer *, const char *why);
enum sqs_fault sqs_wire_fault_of(struct slice code);
enum sqs_fault sqs_wire_entry_fault(struct slice code);
/* The result that an Id stands for; NULL: none of ours. */
struct sqs_result *sqs_wire_result(struct sqs_answer *, struct slice id);

#endif
