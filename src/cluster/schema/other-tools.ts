import type { Report } from '../report.js';

type Document = Record<string, unknown>;

const startsWith = (prefix: string) => (file: Document) => String(file.apiVersion ?? '').startsWith(prefix);
const has =
  (...keys: string[]) =>
  (file: Document) =>
    keys.every((key) => key in file);

/** Files of other tools, told by what only they have. */
const TOOLS: [name: string, is: (file: Document) => boolean][] = [
  ['k0sctl', startsWith('k0sctl.k0sproject.io/')],
  ['KubeOne', startsWith('kubeone.')],
  ['KubeKey', startsWith('kubekey.kubesphere.io/')],
  ['sealos', startsWith('apps.sealos.io/')],
  ['kubeadm', startsWith('kubeadm.k8s.io/')],
  ['Cluster API', startsWith('cluster.x-k8s.io/')],
  ['kops', startsWith('kops.k8s.io/')],
  ['RKE', has('nodes', 'services')],
  ['Ansible (an inventory, as kubespray has it)', has('all')],
];

/** Those that `kubewright init --from` reads: `src/first-steps/sources`. */
const READABLE = ['k0sctl', 'KubeOne', 'Ansible'];

/** Says in one sentence whose file it is, before the places at which it is not ours. */
export function reportOtherTool(report: Report): void {
  const file = report.document.value;
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return;
  const tool = TOOLS.find(([, is]) => is(file as Document))?.[0];
  if (tool === undefined) return;
  const isReadable = READABLE.some((name) => tool.startsWith(name));
  report.error([], 'another-tool', {
    message: isReadable
      ? `this is a file of ${tool}: \`kubewright init --from\` makes a cluster.yaml of it`
      : `this is a file of ${tool}, and Kubewright has a format of its own`,
    found: '',
    expected: isReadable ? '' : 'to begin with examples/clusters/minimal.yaml, which has ten lines',
  });
}
