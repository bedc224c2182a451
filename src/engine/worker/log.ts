import { inspect } from 'node:util';
import { DefaultLogger, type LogEntry, type Logger } from '@temporalio/worker';
import { ASK_AGAIN } from '../../workflows/types.js';

/**
 * The SDK's log, on stderr. It reports a query that came too early (`workflows/early-queries.ts`) as an error of the worker,
 * once itself and once from its core, with stacks; here it is one line, for whoever asked is told to ask again, and nothing is wrong.
 *
 * @param sink takes each entry; stderr unless given
 */
export function workerLog(sink: Pick<Logger, 'log'> = new DefaultLogger('INFO')): Logger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => {
    if (!tellsOfEarlyQuery(level, meta)) sink.log(level, message, meta);
    else if (level === 'ERROR') sink.log('INFO', ASK_AGAIN, { workflowId: meta?.workflowId });
  });
}

function tellsOfEarlyQuery(level: LogEntry['level'], meta: LogEntry['meta']): boolean {
  return (level === 'ERROR' || level === 'WARN') && inspect(meta, { depth: 6 }).includes(ASK_AGAIN);
}
