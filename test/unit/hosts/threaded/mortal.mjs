// The thread of the SSH connections, which dies when a command says so: as by a bug of a library, or for want of memory; or is stuck. It
// lies beside what was compiled.
import { parentPort } from 'node:worker_threads';

await import('./program.js');
parentPort.on('message', ({ request }) => {
  const how = /^die: (.*)/.exec(request?.command ?? '')?.[1];
  if (how === 'a bug')
    setImmediate(() => {
      throw new TypeError('a bug in a library');
    });
  if (how === 'loop') for (;;);
  if (how === 'exit') process.exit(3);
  if (how === 'memory') for (const hoard = []; ; ) hoard.push(new Array(1000).fill(how));
});
