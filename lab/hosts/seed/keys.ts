import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../machine/run.js';

/** Makes a key pair without passphrase at `path` and `path.pub`, unless it is there. @returns the public key's line */
export async function makeKey(path: string, type: 'ed25519' | 'ecdsa', comment: string): Promise<string> {
  const existing = await readFile(`${path}.pub`, 'utf8').catch(() => undefined);
  if (existing !== undefined) return existing.trim();
  await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', comment, '-f', path]);
  return (await readFile(`${path}.pub`, 'utf8')).trim();
}

/**
 * A host's own keys, made outside so that no host has to wait for them. Two types, as real hosts have several; only the
 * ed25519 one goes into known_hosts, so a client that takes whatever type it is offered first is found out.
 *
 * @param directory the host's /etc/ssh
 * @returns its ed25519 key as known_hosts wants it: type and base64
 */
export async function makeHostKeys(directory: string, host: string): Promise<string> {
  const [key = ''] = await Promise.all([
    makeKey(join(directory, 'ssh_host_ed25519_key'), 'ed25519', `root@${host}`),
    makeKey(join(directory, 'ssh_host_ecdsa_key'), 'ecdsa', `root@${host}`),
  ]);
  return key.split(' ').slice(0, 2).join(' ');
}

/** One line of known_hosts; a port other than 22 makes it `[address]:port`. */
export function knownHostsLine(address: string, port: number, key: string): string {
  return `${port === 22 ? address : `[${address}]:${port}`} ${key}\n`;
}

export async function writePrivate(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}
