import { connect } from 'node:net';
import type { PlannedHost } from '../types.js';

/** Whether sshd greets at the host's address. */
export async function sshGreets(host: PlannedHost): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: host.address, port: host.sshPort, timeout: 3_000 });
    const answer = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('data', (greeting) => answer(greeting.toString().startsWith('SSH-')));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
    socket.once('close', () => answer(false));
  });
}
