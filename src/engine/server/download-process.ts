import { TestWorkflowEnvironment } from '@temporalio/testing';

/**
 * Entry of the process that `downloadBySdk` starts. The SDK downloads Temporal's command line as a part of starting a
 * development server with it; the server is not what is wanted, so it is ended at once.
 */
const [downloadDir] = process.argv.slice(2);
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, ttl: '365 days' } },
});
await environment.teardown();
