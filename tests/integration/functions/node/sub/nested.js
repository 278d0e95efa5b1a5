// A handler inside an exported object: sub/nested.api.handler.
'use strict';

exports.api = { handler: async (event) => ({ echo: event.value, where: 'nested' }) };
