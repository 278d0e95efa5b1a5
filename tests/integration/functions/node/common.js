// What the event asks for, shared by the Node handlers of every style.
'use strict';

class OnPurpose extends Error {
  constructor(message) {
    super(message);
    this.name = 'OnPurpose';
  }
}

async function act(event, context) {
  switch (event.do) {
    case 'echo':
      return { echo: event.value };
    case 'throw':
      throw new OnPurpose(event.message);
    case 'size':
      return 'x'.repeat(event.bytes);
    case 'sleep':
      await new Promise((resolve) => setTimeout(resolve, event.ms));
      return 'slept';
    case 'exit':
      process.exit(event.code);
      break;
    case 'uncaught':
      setTimeout(() => {
        throw new OnPurpose(event.message);
      }, 1);
      return new Promise(() => {});
    case 'nothing':
      return undefined;
    case 'env':
      return process.env[event.name] ?? null;
    case 'pid':
      return process.pid;
    case 'print':
      console.log(event.text);
      return 'printed';
    case 'context':
      return {
        requestId: context.awsRequestId,
        arn: context.invokedFunctionArn,
        remainingMs: context.getRemainingTimeInMillis(),
        name: context.functionName,
        version: context.functionVersion,
        memory: context.memoryLimitInMB,
      };
    default:
      throw new Error(`unknown do: ${event.do}`);
  }
}

module.exports = { act, OnPurpose };
