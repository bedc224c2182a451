import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Facts, factsProgram } from '../../../../../src/activities/remote-facts.js';
import type { LocatedImage } from '../../../../../src/bundle/bundle.js';
import type { SourcedImage } from '../../../../../src/components/artifacts/artifacts.js';
import { imageLines } from '../../../../../src/components/runtime/archives.js';
import { GOAL_FACTS } from '../../../../../src/components/runtime/crio/steps/goal.js';
import { importScript } from '../../../../../src/components/runtime/crio/steps/images.js';
import { work } from '../../../../../src/components/runtime/crio/work.js';
import { clusterOf } from '../../../cluster-fixture.js';

/** Scripts in a real bash, with programs of this test. */
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kubewright-crio-'));
  for (const folder of ['bin', 'skopeo', 'archives', 'storage']) await mkdir(join(root, folder));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function program(path: string, body: string): Promise<void> {
  await writeFile(join(root, path), `#!/bin/bash\n${body}\n`);
  await chmod(join(root, path), 0o755);
}

const image = (file: string, ...names: string[]): SourcedImage => ({
  names,
  archive: { file: `images/${file}`, names } as LocatedImage,
});

async function bring(images: SourcedImage[], cluster = clusterOf({ controlPlanes: 1, workers: 0 })) {
  const script = importScript(imageLines(cluster, images), join(root, 'skopeo'))
    .replaceAll('/var/lib/kubewright/bundle/images', join(root, 'archives'))
    .replaceAll('sync -f /var/lib/containers/storage', `sync -f ${root}/storage`);
  return execa('bash', ['--norc', '-euo', 'pipefail', '-c', script], { reject: false, all: true });
}

test('each name of each archive goes into the storage that CRI-O reads, and what was imported is gone', async () => {
  await program('skopeo/skopeo', `echo "$*" >>${root}/calls; [ -e "$(cut -d: -f2 <<<"$6")" ]`);
  await writeFile(join(root, 'archives/pause.tar'), '');
  const images = [image('pause.tar', 'registry.k8s.io/pause:3.10.2', 'localhost/pause:1'), image('gone.tar', 'a/b:1')];
  const result = await bring(images);
  expect(result.all).toBe('');
  expect(result.exitCode).toBe(0);
  const archive = `${root}/archives/pause.tar`;
  const storage = 'containers-storage:[overlay@/var/lib/containers/storage+/run/containers/storage]';
  const copy = (name: string) =>
    `--tmpdir ${root}/archives/skopeo --insecure-policy copy --quiet docker-archive:${archive}:${name} ${storage}${name}`;
  expect((await readFile(join(root, 'calls'), 'utf8')).trim().split('\n')).toEqual([
    copy('registry.k8s.io/pause:3.10.2'),
    copy('localhost/pause:1'),
  ]);
  expect(await readdir(join(root, 'archives'))).toEqual([]);
});

test('an archive that cannot be imported stays, and fails the command with what skopeo said', async () => {
  await program('skopeo/skopeo', 'echo "no space left on device" >&2; exit 1');
  await writeFile(join(root, 'archives/pause.tar'), '');
  const result = await bring([image('pause.tar', 'registry.k8s.io/pause:3.10.2')]);
  expect(result.exitCode).not.toBe(0);
  expect(result.all).toContain('no space left on device');
  expect(await readdir(join(root, 'archives'))).toContain('pause.tar');
});

test('containers of CRI-O are told by whom conmon reports to; none is 0, and a policy that is not there is a no', async () => {
  const run = async (): Promise<Facts> => {
    const { stdout } = await execa('bash', [
      '--norc',
      '-c',
      factsProgram(GOAL_FACTS.replaceAll('/etc/containers', root)),
    ]);
    return new Facts(stdout);
  };
  const before = Number((await run()).text('pods'));
  // perl sets no name of its own here: the words of the command line are what they are given.
  const child = execa('perl', ['-e', 'sleep 60', '--', '/crio/exits'], { reject: false });
  const own = execa(
    'bash',
    ['-c', 'exec -a /usr/libexec/crio/conmon perl -e "sleep 60" -- --exit-dir /var/run/crio/exits'],
    { reject: false },
  );
  const podmans = execa('bash', ['-c', 'exec -a /usr/bin/conmon perl -e "sleep 60" -- --exit-dir /run/libpod/exits'], {
    reject: false,
  });
  try {
    await expect.poll(async () => Number((await run()).text('pods'))).toBe(before + 1);
    const facts = await run();
    expect(facts.answer('policy', 'none').is).toBe('no');
    const { stdout } = await execa('bash', ['--norc', '-c', factsProgram(work.hostFacts)]);
    const rows = new Map(new Facts(stdout).rows('containers').map(([name, count]) => [name, Number(count)]));
    expect(rows.get('crio')).toBe(before + 1);
    expect(rows.get('podman')).toBeGreaterThanOrEqual(1);
  } finally {
    for (const each of [child, own, podmans]) each.kill('SIGKILL');
  }
});
