import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linkScript } from '../../../src/activities/program-links.js';
import type { PlacedProgram } from '../../../src/bundle/programs.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kubewright-links-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** The script in a real bash, on a tree of this test. */
async function link(version: string): Promise<string> {
  const target = `${root}/opt/kubernetes/${version}/kubelet`;
  mkdirSync(join(target, '..'), { recursive: true });
  writeFileSync(target, `kubelet ${version}`);
  const program = { name: 'kubelet', target } as PlacedProgram;
  const script = linkScript([program]).replaceAll('/usr/local/bin', `${root}/bin`);
  return (await execa('bash', ['--norc', '-euo', 'pipefail', '-c', script])).stdout;
}

const names = () => readdirSync(join(root, 'bin'));

describe('the link to a program', () => {
  it('is made, and leads to the next release without a moment in which there is none', async () => {
    expect(await link('1.37.1')).toBe('');
    expect(await link('1.37.2')).toBe('');
    expect(await link('1.37.2')).toBe('');
    expect(readlinkSync(join(root, 'bin/kubelet'))).toBe(`${root}/opt/kubernetes/1.37.2/kubelet`);
    expect(existsSync(`${root}/opt/kubernetes/1.37.1/kubelet`)).toBe(true);
    expect(names()).toEqual(['kubelet']);
  });

  it('takes the place of the same program, as 0.1.0 put it there, and keeps no copy', async () => {
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(root, 'bin/kubelet'), 'kubelet 1.37.2');
    expect(await link('1.37.2')).toBe('');
    expect(names()).toEqual(['kubelet']);
  });

  it('keeps a program of somebody else under a second name, and tells of it', async () => {
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(root, 'bin/kubelet'), 'a kubelet of their own');
    const [word, path, copy = ''] = (await link('1.37.2')).split('\t');
    expect([word, path]).toEqual(['kept', `${root}/bin/kubelet`]);
    expect(readFileSync(copy, 'utf8')).toBe('a kubelet of their own');
    expect(copy).toMatch(/\/bin\/kubelet\.kubewright-backup-\d{8}T\d{6}\.\d{3}Z$/);
    expect(readlinkSync(join(root, 'bin/kubelet'))).toContain('1.37.2');
  });
});
