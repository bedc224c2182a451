import { isNode } from '../../../cluster/roles.js';
import { etcdOf } from '../../../components/registry/plan.js';
import type { Checked } from './index.js';
import { hasNode } from './ownership.js';
import { listed, type Problem } from './problem.js';

const DAY = 24 * 60 * 60;
const WARN_DAYS = 30;

/** Certificates of an installed node that have ended or will soon. Those that the steps of etcd make anew are not looked at. */
export function checkCertificates(checked: Checked): Problem[] {
  const { facts, host, cluster } = checked;
  if (!hasNode(checked) || !isNode(host.role)) return [];
  const { renews } = etcdOf(cluster);
  const ending = facts.certificates
    .filter(({ path, end }) => renews?.test(path) !== true && end < facts.now + WARN_DAYS * DAY)
    .sort((a, b) => a.end - b.end);
  const ended = ending.filter(({ end }) => end <= facts.now);
  return [
    ...problemOf(ended, 'have ended'),
    ...problemOf(
      ending.filter((each) => !ended.includes(each)),
      'will end soon',
    ),
  ];
}

function problemOf(certificates: { path: string; end: number }[], verb: string): Problem[] {
  if (certificates.length === 0) return [];
  const names = certificates.map(({ path, end }) => `${path} (${new Date(end * 1000).toISOString().slice(0, 10)})`);
  const paths = certificates.map(({ path }) => path);
  return [
    {
      code: 'KW326',
      what: `certificates ${verb}: ${listed(names)}`,
      hint: remedies(paths).join(' '),
      severity: verb === 'have ended' ? 'error' : 'warning',
    },
  ];
}

/** What to do about certificates that end, by what they are: one sentence or two for each kind among them. */
export function remedies(paths: readonly string[]): string[] {
  const hints = [
    paths.some((path) => !isAuthority(path) && !isKubelets(path))
      ? 'Run `kubeadm certs renew all` on this host, then restart its static pods one host at a time: move /etc/kubernetes/manifests/*.yaml away for 20 s and back.'
      : '',
    paths.some(isKubelets)
      ? 'The kubelet renews its own while it runs and reaches the API server: see `journalctl -u kubelet`. One that has ended is made anew as "Kubelet client certificate rotation fails" in the documentation of kubeadm says.'
      : '',
    paths.some(isAuthority)
      ? 'The authority itself is not renewed by kubeadm: see "Manual rotation of CA certificates" in the documentation of Kubernetes.'
      : '',
  ];
  return hints.filter(Boolean);
}

function isAuthority(path: string): boolean {
  return /\/(ca|front-proxy-ca)\.crt$/.test(path);
}

function isKubelets(path: string): boolean {
  return path.startsWith('/var/lib/kubelet/');
}
