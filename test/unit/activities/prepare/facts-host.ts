import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type HostFacts, parseHostFacts } from '../../../../src/activities/prepare/facts/host-facts.js';
import { questionsFor } from '../../../../src/activities/prepare/facts/index.js';
import { hostFactsScript } from '../../../../src/activities/prepare/facts/script.js';
import { Facts, factsProgram } from '../../../../src/activities/remote-facts.js';
import { kernelFeaturesFor } from '../../../../src/render/modules.js';
import { clusterOf } from '../../cluster-fixture.js';

/** The script in a real bash, on a host that is made of files below one directory and of programs that say what they are told. */
let root: string;

/** The directory that the host is made of. */
export const rootOf = (): string => root;

/** Makes a blank host before each test of the file, and takes it away afterwards. */
export function makeHosts(): void {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kubewright-facts-'));
    for (const name of ['ufw', 'iptables-save', 'iptables-legacy-save', 'containerd', 'apt-cache'])
      program(name, 'exit 1');
    for (const name of ['nft', 'ip', 'ss', 'dpkg-query', 'apt-config', 'systemd-detect-virt', 'findmnt', 'modprobe'])
      program(name, '');
    program('stat', 'echo cgroup2fs');
    lay('/etc/os-release', 'ID=debian\n');
    program('systemctl', 'case $1 in show-environment|list-unit-files) ;; *) exit 3 ;; esac');
  });
  afterEach(() => rmSync(root, { recursive: true }));
}

export function program(name: string, body: string): void {
  lay(`/bin/${name}`, `#!/bin/bash\n${body}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

export function lay(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });

/** What a control plane is asked. */
export const QUESTIONS = questionsFor(CLUSTER, { role: 'control-plane' });

/** What any backend of the pod network needs. */
const FEATURES = [
  ...new Map(
    ['vxlan', 'wireguard', 'udp']
      .map((Type) => ({ ...CLUSTER, network: { plugin: 'flannel' as const, backend: { Type } } }))
      .flatMap((cluster) => kernelFeaturesFor('worker', cluster))
      .map((feature) => [feature.module, feature]),
  ).values(),
];

/** What the script says, as if the directory were the host's root, with the programs of the machine or others. */
export function output(machine = process.env.PATH): string {
  const questions = { ...QUESTIONS, resolvConf: '/etc/kubernetes/resolv.conf', features: FEATURES };
  const script = factsProgram(hostFactsScript(questions)).replaceAll(
    /(?<![\w.*}/])\/(etc|var|run|usr|opt|sys|proc|lib)\//g,
    `${root}/$1/`,
  );
  const env = { PATH: `${root}/bin:${machine}`, LC_ALL: 'C' };
  const said = execFileSync('/bin/bash', { input: script, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'], env });
  return said.replaceAll(root, '');
}

export const facts = (machine?: string): HostFacts => parseHostFacts(new Facts(output(machine)));

/** A folder with the programs of this machine but one. */
export function machineWithout(tool: string): string {
  const folder = join(root, 'machine');
  const names = new Set([tool]);
  mkdirSync(folder);
  for (const directory of (process.env.PATH ?? '').split(':').filter((each) => existsSync(each))) {
    for (const name of readdirSync(directory).filter((each) => !names.has(each))) {
      symlinkSync(join(directory, name), join(folder, name));
      names.add(name);
    }
  }
  return folder;
}
