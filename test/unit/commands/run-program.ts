/** The program as a process of its own, from the sources: for tests that need a terminal. */
const { run } = await import('../../../src/client.js');
await run();
