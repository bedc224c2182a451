import { isWithin } from '../../../render/control-plane-files.js';
import type { Path } from '../../path.js';
import { valueAt } from '../../path.js';
import type { Report } from '../../report.js';
import type { Sketch } from '../../resolve/draft.js';
import { KERNEL_DEFAULTS } from '../../security/profile.js';
import type { Cluster, ExtraArg } from '../../types.js';
import type { Check } from '../index.js';
import { flagPath } from './flags.js';

const API_SERVER: Path = ['spec', 'kubernetes', 'apiServer'];
const KUBELET: Path = ['spec', 'kubernetes', 'kubelet', 'config'];

/**
 * Directories of a host that kubeadm mounts into the API server's pod, and the other components' (kubeadm 1.34:
 * phases/controlplane/volumes.go). A file elsewhere is not there for it, and a flag that names one ends it at its start.
 */
const MOUNTED = [
  '/etc/kubernetes/pki/',
  '/etc/ssl/',
  '/etc/pki/',
  '/etc/ca-certificates/',
  '/usr/share/ca-certificates/',
];

/** Flags of which a path is no file of the host's, or which kubeadm's own mounts serve. */
const NO_FILE = /^(kubeconfig|authentication-kubeconfig|authorization-kubeconfig|cert-dir|bind-address)$/;

/**
 * What a flag or a setting needs besides itself: people copy whole lists of them, and what is missing ends a component
 * minutes later, or is lost without a word.
 */
export const checkNeeds: Check = (cluster, report) => {
  const apiServer = cluster.kubernetes.apiServer.extraArgs;
  checkMounts(cluster, report);
  checkAudit(apiServer, report);
  checkAdmission(cluster, apiServer, report);
  checkAuthorization(apiServer, report);
  checkKubelet(cluster, report);
};

function flagValueIn(args: Sketch<ExtraArg[]>, name: string): string | undefined {
  return args.findLast((arg) => arg.name === name)?.value;
}

function checkMounts({ kubernetes }: Sketch<Cluster>, report: Report): void {
  for (const component of ['apiServer', 'controllerManager', 'scheduler'] as const) {
    const owner: Path = ['spec', 'kubernetes', component];
    for (const { name, value } of kubernetes[component].extraArgs) {
      if (name === undefined || value === undefined || !value.startsWith('/') || NO_FILE.test(name)) continue;
      // Of what a line of "security" sets, that line sees to it that it is seen.
      if (!report.written(flagPath(owner, name, report))) continue;
      if (MOUNTED.some((directory) => value.startsWith(directory)) || isSeen(kubernetes, component, value)) continue;
      report.warn(flagPath(owner, name, report), 'not-mounted', {
        message: `its pod does not see ${value}: kubeadm mounts ${MOUNTED[0]} and the certificates of the system, nothing else`,
        found: '',
        expected: 'spec.kubernetes.files for a file that is brought, or extraVolumes for one that is on the hosts',
      });
    }
  }
}

/** Whether the pod sees a file: it is delivered, or a volume or a kubeadm patch speaks of its directory. */
function isSeen(
  kubernetes: Sketch<Cluster>['kubernetes'],
  component: 'apiServer' | 'controllerManager' | 'scheduler',
  file: string,
): boolean {
  const directory = file.slice(0, file.lastIndexOf('/'));
  const paths = [
    ...(kubernetes.files ?? []).map(({ path = '' }) => path.slice(0, path.lastIndexOf('/'))),
    ...(kubernetes[component].extraVolumes ?? []).map(({ mountPath = '' }) => mountPath),
  ];
  return (
    paths.some((path) => path !== '' && isWithin(file, path)) ||
    kubernetes.patches.some((patch) => patch.content?.includes(directory))
  );
}

function checkAudit(args: Sketch<ExtraArg[]>, report: Report): void {
  if (flagValueIn(args, 'audit-log-path') === undefined || flagValueIn(args, 'audit-policy-file') !== undefined) return;
  report.warn(flagPath(API_SERVER, 'audit-log-path', report), 'audit-without-policy', {
    message: 'without audit-policy-file nothing is logged',
    found: '',
    expected: 'audit-policy-file beside it',
  });
}

function checkAdmission(cluster: Sketch<Cluster>, args: Sketch<ExtraArg[]>, report: Report): void {
  const plugins = flagValueIn(args, 'enable-admission-plugins')?.split(',');
  if (plugins === undefined) return;
  const path = flagPath(API_SERVER, 'enable-admission-plugins', report);
  if (!plugins.includes('NodeRestriction')) {
    report.warn(path, 'no-node-restriction', {
      message: "the list takes the place of kubeadm's: without NodeRestriction a kubelet may change other nodes",
      expected: ['NodeRestriction', ...plugins].join(','),
    });
  }
  const { source, registry } = cluster.packages;
  if (plugins.includes('AlwaysPullImages') && source === 'bundle' && registry === undefined) {
    report.error(path, 'always-pull', {
      message: 'AlwaysPullImages has every image pulled from a registry, and the images of a bundle are in none',
      expected: 'a list without AlwaysPullImages, or packages.registry',
    });
  }
  if (plugins.includes('EventRateLimit') && flagValueIn(args, 'admission-control-config-file') === undefined) {
    report.error(path, 'admission-config', {
      message: 'EventRateLimit ends the API server when it has no configuration',
      expected: 'admission-control-config-file beside it, or a list without EventRateLimit',
    });
  }
}

/** kubeadm's own `Node,RBAC`. The kubelets have no other right than the Node authorizer's. */
function checkAuthorization(args: Sketch<ExtraArg[]>, report: Report): void {
  const modes = flagValueIn(args, 'authorization-mode')?.split(',');
  if (modes === undefined || ['Node', 'RBAC'].every((mode) => modes.includes(mode))) return;
  report.error(flagPath(API_SERVER, 'authorization-mode', report), 'authorization-mode', {
    message: 'without Node no kubelet may do anything, and without RBAC nobody whom kubeadm lets in',
    expected: 'Node,RBAC, perhaps with others',
  });
}

/** Where the file asks for it. */
function kernelPlace(report: Report): Path {
  const places: Path[] = [
    [...KUBELET, 'protectKernelDefaults'],
    ['spec', 'security', 'protectKernelDefaults'],
  ];
  return places.find((place) => report.written(place)) ?? ['spec', 'hardening'];
}

function checkKubelet(cluster: Sketch<Cluster>, report: Report): void {
  const setting = (name: string) => valueAt(report.document.value, [...KUBELET, name]);
  if (setting('healthzPort') === 0) {
    report.error([...KUBELET, 'healthzPort'], 'healthz-off', {
      message: 'kubeadm waits for the kubelet at this port, and with 0 it has none',
      expected: 'a port such as 10248',
    });
  }
  if (setting('serverTLSBootstrap') === true) {
    report.warn([...KUBELET, 'serverTLSBootstrap'], 'serving-certificates', {
      message:
        'each kubelet then waits until somebody approves its certificate: until then `kubectl logs` and `exec` fail',
      expected: 'security.kubeletServingCertificates: cluster, with which install approves them; or somebody who does',
    });
  }
  if (cluster.kubernetes.kubelet.config.protectKernelDefaults === true) {
    const missing = Object.entries(KERNEL_DEFAULTS).filter(([name, value]) => cluster.sysctls[name] !== value);
    if (missing.length > 0) {
      report.error(kernelPlace(report), 'kernel-defaults', {
        message:
          'the kubelet then ends when it finds other kernel settings than its own (security.protectKernelDefaults: true sets both)',
        expected: `in spec.sysctls: ${missing.map(([name, value]) => `${name}: ${value}`).join(', ')}`,
      });
    }
  }
  const flags = cluster.kubernetes.kubelet.extraArgs;
  if (flagValueIn(flags, 'cloud-provider') === 'external') {
    report.warn(flagPath(['spec', 'kubernetes', 'kubelet'], 'cloud-provider', report), 'cloud-provider', {
      message:
        "every node keeps a taint until the cloud's controller manager has seen it: the install waits at cluster/dns-spread until you have installed that",
      expected: '',
    });
  }
}
