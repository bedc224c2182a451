/**
 * Loaded once before any workflow (`preloadModules`), for afterwards `Error` is frozen there. The SDK takes a stack trace for every
 * promise that a workflow makes, for the tab "Call Stack" of Temporal's UI, and keeps it as long as the promise is pending.
 * With ten frames each, as Node has it, that was half of the worker's memory at a thousand hosts (`npm run bench:scale`).
 */
Error.stackTraceLimit = 0;
