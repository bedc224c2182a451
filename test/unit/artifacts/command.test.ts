import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundleCommand } from '../../../src/commands/bundle.js';
import { processShell } from '../../../src/commands/support/shell.js';
import { OriginServer } from './origin-server.js';
import { publishEverything } from './published.js';

const manifest = await readFile(fileURLToPath(new URL('./kube-flannel.yml.golden', import.meta.url)));
const server = new OriginServer();
let folder: string;
let stdout: string;
let stderr: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubewright-command-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', join(folder, 'cache'));
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function kubewrightBundle(...args: string[]): Promise<void> {
  const command = bundleCommand(processShell());
  for (const each of [command, ...command.commands]) each.exitOverride();
  await command.parseAsync(args, { from: 'user' });
}

describe('kubewright bundle', () => {
  it('loads nothing but commander and what makes actions until one runs', async () => {
    const source = await readFile(fileURLToPath(new URL('../../../src/commands/bundle.ts', import.meta.url)), 'utf8');
    const imports = source.split('\n').filter((line) => line.startsWith('import ') && !line.startsWith('import type '));
    const from = imports.map((line) => /from '(.*)'/.exec(line)?.[1]);
    expect(from).toEqual(['commander', './support/action.js', './support/shell.js']);
  });

  it.each([
    [['create'], /required option '--kubernetes <version>'/],
    [['create', '--kubernetes', '1.34'], /all three parts of a version/],
    [['create', '--kubernetes', '1.34.3', '--arch', 's390x'], /Allowed choices are amd64, arm64/],
    [['create', '--kubernetes', '1.34.3', '--from', 'air'], /Allowed choices are official, modules/],
    [['verify'], /missing required argument 'directory'/],
  ])('refuses %j', async (args, message) => {
    await expect(kubewrightBundle(...args)).rejects.toThrow(message);
  });

  it('creates a bundle where it is told to, and verifies it', async () => {
    await server.start();
    await publishEverything(server, manifest);
    const output = join(folder, 'deep/bundle');
    const args = [
      '--kubernetes',
      'v1.34.3',
      '--arch',
      'arm64',
      '--mirror',
      server.url,
      '--output',
      output,
      '--no-load-balancer',
    ];
    await kubewrightBundle('create', ...args);
    expect(stdout).toMatch(
      /^\S+\/deep\/bundle: Kubernetes 1\.34\.3 for arm64, official releases, 10 images, \d+ MB\n$/,
    );
    expect(stderr).toMatch(/answers: downloading the official releases/);
    expect(stderr).toMatch(/downloading images … 3\/5/);
    expect(stderr).toMatch(/HAProxy and keepalived are not in this bundle: .*loadBalancer\.source: distribution/);

    stdout = '';
    await kubewrightBundle('verify', output);
    expect(stdout).toMatch(/bundle is whole: Kubernetes 1\.34\.3 for arm64/);
    await writeFile(join(output, 'bin/kubectl.gz'), 'something else');
    await expect(kubewrightBundle('verify', output)).rejects.toMatchObject({ code: 'KW732' });

    await expect(kubewrightBundle('create', ...args)).rejects.toMatchObject({ code: 'KW729' });
    expect(await readdir(join(folder, 'deep'))).toEqual(['bundle']);
    await server.stop();
  });

  it('says which versions can be built when one cannot', async () => {
    const building = kubewrightBundle('create', '--kubernetes', '1.33.0', '--from', 'modules');
    await expect(building).rejects.toMatchObject({ code: 'KW728', hint: expect.stringContaining('1.34.3') });
    expect(existsSync(join(folder, 'cache/bundles'))).toBe(false);
  });
});
