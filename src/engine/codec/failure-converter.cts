// Used with a payload key: by default a failure's message and stack trace stay in clear beside encrypted payloads.
// CommonJS, because the SDK loads it with `require` (which takes no ES module on Node 20), and without any type syntax,
// so that the same file also serves uncompiled, in tests.
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
