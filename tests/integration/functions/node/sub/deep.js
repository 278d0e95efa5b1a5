// A handler in a sub-folder: sub/deep.handler.
'use strict';

exports.handler = async (event) => ({ echo: event.value, where: 'sub' });
