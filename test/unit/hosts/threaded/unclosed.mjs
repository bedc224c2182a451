// Runs a command on the way that its argument says, in a thread that it never closes. It lies beside what was compiled.
import { SshThread } from './ssh-thread.js';

const thread = new SshThread({ url: new URL('./program.js', import.meta.url) });
const connection = thread.pool(() => undefined).connection(JSON.parse(process.argv[2] ?? ''));
// Nothing but the command keeps this process alive.
void connection.exec('sleep 0.5; echo waited').then(({ channel }) => {
  channel.on('data', (chunk) => process.stdout.write(chunk));
  channel.stderr.resume();
});
