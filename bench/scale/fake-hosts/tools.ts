import { CHECK_SCRIPT_PATH } from '../../../src/components/load-balancer/haproxy-keepalived/render/keepalived.js';
import { type Said, said } from './api.js';
import type { FakeHost } from './host.js';

type Tool = (host: FakeHost, match: RegExpExecArray) => Said;

const fails: Said = { code: 1, stdout: '', stderr: '' };

/** Programs of a host, by what they are called with. */
const TOOLS: [RegExp, Tool][] = [
  [/^true$/, () => said('')],
  [/^uname -m$/, () => said('x86_64')],
  [/^date \+%s\.%N$/, () => said((Date.now() / 1_000).toFixed(6))],
  [/^readlink (\S+)$/, (host, [, path = '']) => (host.files.has(path) ? said(host.files.get(path) ?? '') : fails)],
  [/^getent passwd (\S+)$/, (host, [, name = '']) => (host.accounts.has(name) ? said(`${name}:x:998:998::/:`) : fails)],
  [/^containerd --version$/, (host) => (host.packages.has('containerd') ? said(CONTAINERD) : fails)],
  [/^ctr -n k8s\.io images check$/, (host) => said(imageTable(host, 'complete (3/3) 22.1 MiB/22.1 MiB true'))],
  [/^ctr -n k8s\.io images ls$/, (host) => said(imageTable(host, LABELS))],
  [/^crictl images -o json$/, (host) => said(criImages(host))],
  [/^awk NR > 1 \{print \$1\} \/proc\/swaps$/, () => said('')],
  [/^awk \$1 == "server:" \{print \$2\} (\S+)$/, serverIn],
  [/^ip -4 route get (\S+)$/, (host, [, to]) => said(`${to} dev eth0 src ${host.address} uid 0`)],
  [/^ip -4 neighbour show to (\S+)$/, neighbour],
  [/^bash -c : <>\/dev\/tcp\/(\S+)\/(\d+)$/, (host) => (host.cluster.holder === undefined ? fails : said(''))],
];

const CONTAINERD = 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1';
const LABELS = 'application/vnd.oci io.cri-containerd.image=managed,io.cri-containerd.pinned=pinned';

/** @returns undefined for what is not known */
export function answerTools(host: FakeHost, command: string): Said | undefined {
  if (command === `${CHECK_SCRIPT_PATH} alive`) return host.active.has('haproxy') ? said('') : fails;
  for (const [shape, tool] of TOOLS) {
    const match = shape.exec(command);
    if (match !== null) return tool(host, match);
  }
  return undefined;
}

function imageTable(host: FakeHost, rest: string): string {
  return ['REF TYPE', ...[...host.images].map((name) => `${name} ${rest}`)].join('\n');
}

function criImages(host: FakeHost): string {
  return JSON.stringify({ images: [...host.images].map((name) => ({ repoTags: [name], pinned: true })) });
}

function serverIn(host: FakeHost, [, path = '']: RegExpExecArray): Said {
  const server = /server: (\S+)/.exec(host.files.get(path) ?? '')?.[1];
  return server === undefined ? fails : said(server);
}

function neighbour({ cluster }: FakeHost, [, address]: RegExpExecArray): Said {
  const { holder } = cluster;
  return said(holder === undefined ? '' : `${address} dev eth0 lladdr ${holder.mac} REACHABLE`);
}
