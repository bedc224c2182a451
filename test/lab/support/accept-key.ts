import { appendFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { Lab, LabHost } from '../../../lab/hosts/index.js';

/** What a person does who has compared a host's new key with the one on its own console: the old one goes, this one stays. */
export async function acceptKey(lab: Lab, host: LabHost): Promise<void> {
  const { knownHosts } = lab.files;
  await execa('ssh-keygen', ['-f', knownHosts, '-R', host.address]);
  const { stdout } = await execa('ssh-keyscan', ['-t', 'ed25519', host.address]);
  await appendFile(knownHosts, `${stdout}\n`);
}
