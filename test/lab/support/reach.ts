import { connect } from 'node:net';
import type { LabHost } from '../../../lab/hosts/index.js';

/** One connection to a port, seen from this machine. */
export async function connects(address: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1_500 });
    const answer = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

/** One ping from a host to another, or to any address. */
export async function reaches(from: LabHost, to: { address: string }): Promise<boolean> {
  return (await from.exec(`ping -q -c 1 -W 1 ${to.address}`, { allowFailure: true })).exitCode === 0;
}

/** Asks the package mirror for its lists: it is reached through the machine's own way out. */
export const MIRROR = 'apt-get -q update';
