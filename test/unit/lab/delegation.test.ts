import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { delegate, handDownControllers, labParent } from '../../../lab/hosts/machine/delegation.js';

// Plain files stand for a cgroup version 2 directory: this shows what is written where, not what a kernel makes of it.
let cgroup: string;

beforeEach(async () => {
  cgroup = await mkdtemp(join(tmpdir(), 'kubewright-test-'));
  await writeFile(join(cgroup, 'cgroup.type'), 'domain\n');
  await writeFile(join(cgroup, 'cgroup.procs'), '4711\n');
  await writeFile(join(cgroup, 'cgroup.controllers'), 'cpuset cpu memory pids\n');
  await writeFile(join(cgroup, 'cgroup.subtree_control'), 'cpu\n');
});
afterEach(async () => {
  await rm(cgroup, { recursive: true });
});

const read = (file: string): Promise<string> => readFile(join(cgroup, file), 'utf8');

test('the caller leaves its cgroup for a leaf, and then its controllers are handed down', async () => {
  await delegate(cgroup);
  expect(await read('kubewright-caller/cgroup.procs')).toBe('4711');
  expect(await read('cgroup.subtree_control')).toBe('+cpuset +memory +pids');
});

test('the root of the hierarchy may keep its processes', async () => {
  await rm(join(cgroup, 'cgroup.type'));
  await delegate(cgroup);
  expect(existsSync(join(cgroup, 'kubewright-caller'))).toBe(false);
  expect(await read('cgroup.subtree_control')).toBe('+cpuset +memory +pids');
});

test('what is handed down already is not written again', async () => {
  await writeFile(join(cgroup, 'cgroup.subtree_control'), 'cpuset cpu memory pids\n');
  await handDownControllers(cgroup);
  expect(await read('cgroup.subtree_control')).toBe('cpuset cpu memory pids\n');
});

test('a second lab is made beside the first, not in the leaf', () => {
  expect(labParent('/sys/fs/cgroup/a.scope')).toBe('/sys/fs/cgroup/a.scope');
  expect(labParent('/sys/fs/cgroup/a.scope/kubewright-caller')).toBe('/sys/fs/cgroup/a.scope');
});
