// CommonJS handlers of every style: async, callback, context.done family, plain value.
'use strict';

const { act } = require('./common.js');

if (process.env.TEST_INIT === 'fail') {
  throw new RangeError('init fails on purpose');
}

exports.handler = async (event, context) => act(event, context);

exports.callback = (event, context, callback) => {
  act(event, context).then(
    (result) => callback(null, result),
    (error) => callback(error),
  );
};

// The callback comes while a timer still runs: answered at once when the flag is off.
exports.callbackNoWait = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 60000);
  callback(null, { echo: event.value });
};

exports.callbackText = (event, context, callback) => callback('a plain text error');

exports.notAFunction = 7;

exports.echo = async (event) => event;
