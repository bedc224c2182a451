import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  composeSpecRecipe,
  conformanceTestsRecipe,
  kubeadmTestsRecipe,
  temporalServerRecipe,
} from '../../../lab/artifacts/recipes.js';
import { buildGo, cCompiler, goBuildCommand, withGoScratch } from '../../../src/artifacts/go/build.js';
import { bundleTools, requireGo } from '../../../src/artifacts/go/tools.js';
import {
  BUILDABLE_KUBERNETES,
  bundleRecipes,
  etcdRecipe,
  flannelRecipe,
  type GoRecipe,
  kubernetesRecipe,
  machineArchitecture,
  moduleFile,
  recipeHash,
  temporalCliRecipe,
  temporalUiRecipe,
} from '../../../src/artifacts/recipes.js';
import { DEFAULTS } from '../../../src/cluster/defaults.js';

const perRelease = BUILDABLE_KUBERNETES.flatMap(bundleRecipes);
const recipes: GoRecipe[] = [
  // Each once: most are the same for all releases.
  ...new Map(perRelease.map((recipe) => [recipe.module, recipe])).values(),
  temporalCliRecipe,
  temporalUiRecipe,
  temporalServerRecipe,
  composeSpecRecipe,
];

describe('the pinned modules', () => {
  it.each(recipes.map((recipe) => [recipe.module, recipe] as const))('%s', async (_, recipe) => {
    const goMod = await readFile(moduleFile(recipe, 'go.mod'), 'utf8');
    const goSum = await readFile(moduleFile(recipe, 'go.sum'), 'utf8');
    const block = /^tool \(\n([\s\S]*?)\n\)/m.exec(goMod)?.[1] ?? /^tool (.*)$/m.exec(goMod)?.[1] ?? '';
    const tools = block.split('\n').map((line) => line.trim());
    // `go build` names a program after the last part of its path that is not a major version.
    const names = tools.map((path) =>
      path
        .replace(/\/v\d+$/, '')
        .split('/')
        .at(-1),
    );
    expect(names.sort()).toEqual(Object.keys(recipe.binaries).sort());
    expect(goMod).toContain(`${recipe.version}`);
    expect(goMod).not.toMatch(/=> \./);
    expect(goSum).toMatch(/ h1:/);
  });

  it.each([
    ['kubeadm’s tests', kubeadmTestsRecipe, '1.34.3'],
    ['kubeadm’s tests', kubeadmTestsRecipe, DEFAULTS.kubernetes.version],
    ['the conformance suite', conformanceTestsRecipe, DEFAULTS.kubernetes.version],
  ] as const)('have that of %s at the same version as kubeadm itself', async (_, recipeOf, version) => {
    const recipe = recipeOf(version);
    const required = /^\tk8s.io\/kubernetes (\S+)/m;
    const tests = await readFile(moduleFile(recipe, 'go.mod'), 'utf8');
    const kubeadm = await readFile(moduleFile(kubernetesRecipe(version), 'go.mod'), 'utf8');
    expect(required.exec(tests)?.[1]).toBe(`v${version}`);
    expect(required.exec(kubeadm)?.[1]).toBe(`v${version}`);
    expect(await readFile(moduleFile(recipe, 'go.sum'), 'utf8')).toMatch(/ginkgo.* h1:/);
  });

  it('stamp Kubernetes with its version, or kubeadm would call itself v0.0.0', () => {
    const { args } = goBuildCommand(kubernetesRecipe('1.34.3'), 'amd64', '/out');
    expect(args[2]).toContain('-X k8s.io/component-base/version.gitVersion=v1.34.3');
    expect(args[2]).toContain('-X k8s.io/component-base/version.gitMinor=34');
  });

  it('are what the hash is of', async () => {
    const before = await recipeHash(recipes, 'a');
    expect(before).toMatch(/^[0-9a-f]{12}$/);
    expect(await recipeHash(recipes, 'a')).toBe(before);
    expect(await recipeHash(recipes, 'b')).not.toBe(before);
    const [first, ...rest] = recipes as [GoRecipe, ...GoRecipe[]];
    expect(await recipeHash([{ ...first, ldflags: ['-X a=b'] }, ...rest], 'a')).not.toBe(before);
    expect(await recipeHash([{ ...first, title: 'another word for it' }, ...rest], 'a')).toBe(before);
  });

  it('say which versions can be built', async () => {
    expect(BUILDABLE_KUBERNETES).toEqual(['1.34.3', '1.35.4', '1.36.3', '1.37.2']);
    expect(() => bundleRecipes('1.34.4')).toThrow('there is no recipe for Kubernetes 1.34.4');
  });
});

describe('the build command', () => {
  it('is the same for another architecture but for its name', () => {
    const here = goBuildCommand(etcdRecipe('3.6.5'), 'amd64', '/out');
    const there = goBuildCommand(etcdRecipe('3.6.5'), 'arm64', '/out');
    expect(here.args).toEqual(['build', '-trimpath', '-ldflags=-s -w', '-o', '/out/', 'tool']);
    expect(there).toEqual({ ...here, env: { GOOS: 'linux', GOARCH: 'arm64', CGO_ENABLED: '0' } });
  });

  it('makes a program of the tests of a package, where the recipe names one', () => {
    const { args } = goBuildCommand(kubeadmTestsRecipe('1.34.3'), 'amd64', '/out');
    expect(args.slice(0, 2)).toEqual(['test', '-c']);
    expect(args.slice(-2)).toEqual(['/out/', 'k8s.io/kubernetes/test/e2e_kubeadm']);
    expect(goBuildCommand(conformanceTestsRecipe('1.37.2'), 'amd64', '/out').args.at(-1)).toBe(
      'k8s.io/kubernetes/test/e2e',
    );
  });

  it("needs C for flannel on amd64, and nowhere else, as flannel's own Makefile has it", () => {
    expect(goBuildCommand(flannelRecipe, 'amd64', '/out').env.CGO_ENABLED).toBe('1');
    expect(goBuildCommand(flannelRecipe, 'arm64', '/out').env.CGO_ENABLED).toBe('0');
  });

  it('takes the cross compiler for the other architecture, for pause', () => {
    const other = machineArchitecture() === 'arm64' ? 'amd64' : 'arm64';
    expect(cCompiler(machineArchitecture() ?? 'amd64')).toBe('gcc');
    expect(cCompiler(other)).toMatch(/^(aarch64|x86_64)-linux-gnu-gcc$/);
    const packages = bundleTools(other).flatMap((tool) => tool.packages);
    expect(packages).toContain(other === 'arm64' ? 'gcc-aarch64-linux-gnu' : 'gcc-x86-64-linux-gnu');
  });
});

describe('a build that goes wrong', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubewright-go-'));
    vi.stubEnv('KUBEWRIGHT_CACHE', join(folder, 'cache'));
    vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env.PATH}`);
    await mkdir(join(folder, 'bin'));
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  /** A `go` that does what the test wants. */
  async function pretendGo(script: string): Promise<void> {
    await writeFile(join(folder, 'bin/go'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'bin/go'), 0o755);
  }

  const attempt = (signal?: AbortSignal) =>
    withGoScratch(0, 'a test', (scratch) =>
      buildGo(etcdRecipe('3.6.5'), folder, { architecture: 'amd64', scratch, signal }),
    );

  it.each([
    ['echo "write /x: no space left on device" >&2; exit 1', /Free some disk space/],
    ['echo "dial tcp: lookup proxy.example: no such host" >&2; exit 1', /proxy was not reached/],
    ['echo "verifying x: checksum mismatch" >&2; exit 1', /distrust the proxy/],
    ['echo "reading x: 403 Forbidden" >&2; exit 1', /does not have this version/],
    ['echo "go: go.mod requires go >= 1.30" >&2; exit 1', /too old/],
    ['echo "compile: signal: killed" >&2; exit 1', /out of memory/],
    ['echo "main.go:1: no" >&2; exit 2', /are from Go itself/],
  ])('says what to do: %s', async (script, hint) => {
    await pretendGo(script);
    await expect(attempt()).rejects.toMatchObject({ code: 'KW710', hint: expect.stringMatching(hint) });
    expect(await readdir(join(folder, 'cache/scratch'))).toEqual(['CACHEDIR.TAG']);
  });

  it('shows the last lines of Go, without the list of downloads', async () => {
    await pretendGo('for i in $(seq 40); do echo "line $i" >&2; echo "go: downloading x" >&2; done; exit 1');
    const error = await attempt().catch((thrown) => thrown);
    expect(error.output.split('\n')).toHaveLength(15);
    expect(error.output).toMatch(/^line 26\n[\s\S]*line 40$/);
    expect(error.message).toContain('line 40');
  });

  it('is stopped when it is told to, and leaves nothing', async () => {
    const controller = new AbortController();
    await pretendGo(`touch ${join(folder, 'started')}; exec sleep 60`);
    const building = attempt(controller.signal);
    await vi.waitFor(async () => expect(await readdir(folder)).toContain('started'));
    controller.abort();
    await expect(building).rejects.toMatchObject({ code: 'KW703' });
    expect(await readdir(join(folder, 'cache/scratch'))).toEqual(['CACHEDIR.TAG']);
  });

  it('gives the build caches of its own, and the programs their names', async () => {
    // The environment is what a build of ours must not share with the user's own.
    await pretendGo(
      `env > ${join(folder, 'environment')}; for last; do :; done; ` +
        'while [ "$1" != -o ]; do shift; done; for name in server etcdctl etcdutl; do echo "$name" > "$2$name"; done',
    );
    await attempt();
    const environment = await readFile(join(folder, 'environment'), 'utf8');
    for (const name of ['GOCACHE', 'GOMODCACHE', 'GOTMPDIR']) {
      expect(environment).toMatch(new RegExp(`^${name}=${join(folder, 'cache/scratch')}/`, 'm'));
    }
    expect(await readFile(join(folder, 'etcd'), 'utf8')).toBe('server\n');
  });

  it.each([
    ['echo go1.18.1', /Go 1\.18 is too old/],
    ['exit 127', /Go is not installed/],
  ])('says so when Go is not what it must be: %s', async (script, message) => {
    await pretendGo(script);
    await expect(requireGo()).rejects.toMatchObject({ code: 'KW705', message: expect.stringMatching(message) });
  });
});
