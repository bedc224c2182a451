import { readFile } from 'node:fs/promises';
import { KubewrightError } from '../../src/errors.js';
import { takeDown } from './down.js';
import { LabHost } from './host.js';
import { readJournal } from './journal.js';
import { checkLabName, type LabFiles, labDirectory, labFiles } from './paths.js';
import type { LabRecord } from './types.js';

/** A lab that is up: its hosts, and the files that it gives to its user. */
export class Lab {
  readonly name: string;
  readonly hosts: readonly LabHost[];
  /** Key, known_hosts, ssh_config and cluster.yaml. */
  readonly files: LabFiles;
  /** Virtual address that the generated cluster.yaml names. */
  readonly vip: string;

  constructor(
    readonly directory: string,
    readonly record: LabRecord,
  ) {
    this.name = record.name;
    this.files = labFiles(directory);
    this.vip = record.plan.vip;
    this.hosts = record.plan.hosts.map((host) => new LabHost(directory, record, host));
  }

  /** @throws KW633 for a name that no host has */
  host(name: string): LabHost {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (host) return host;
    throw new KubewrightError('KW633', `Lab ${this.name} has no host "${name}".`, {
      hint: `Its hosts are ${this.hosts.map((candidate) => candidate.name).join(', ')}.`,
    });
  }

  /** Takes the lab down; nothing of it is left. */
  async down(): Promise<void> {
    await takeDown(this.name);
  }
}

/**
 * A lab that another process, or an earlier command, has made.
 *
 * @throws KW601 when there is none of this name
 */
export async function openLab(name = 'lab'): Promise<Lab> {
  checkLabName(name);
  const entry = (await readJournal(name)).find((candidate) => candidate.made === 'directory');
  const directory = entry?.made === 'directory' ? entry.path : labDirectory(name);
  const text = await readFile(labFiles(directory).record, 'utf8').catch(() => undefined);
  if (text !== undefined) return new Lab(directory, JSON.parse(text) as LabRecord);
  throw new KubewrightError('KW601', `There is no lab "${name}".`, {
    hint: `kubewright lab up --name ${name} makes one; kubewright lab status --all lists those that are there.`,
  });
}
