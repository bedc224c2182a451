import { isWithin, OWN_VOLUMES } from '../../../render/control-plane-files.js';
import type { Path } from '../../path.js';
import { valueAt } from '../../path.js';
import type { Report } from '../../report.js';
import type { Sketch } from '../../resolve/draft.js';
import type { HostPathVolume } from '../../types.js';
import type { Check } from '../index.js';
import { PRIVATE_KEY } from './secrets.js';

const FILES: Path = ['spec', 'kubernetes', 'files'];
const ROOT = '/etc/kubernetes';
/** kubeadm's own: `kubeadm reset` empties both, and the kubelet runs whatever lies in the second one. */
const KUBEADM_DIRECTORIES = ['pki', 'manifests'];

/** Files that flags refer to: where they lie, and that each has one content. */
export const checkFiles: Check = ({ kubernetes }, report) => {
  for (const [index, { path, content }] of (kubernetes.files ?? []).entries()) {
    const place = [...FILES, index];
    checkSource(place, report);
    if (path === undefined) continue;
    checkPlace([...place, 'path'], path, report);
    const first = (kubernetes.files ?? []).findIndex((file) => file.path === path);
    if (first < index) {
      report.error([...place, 'path'], 'file-twice', {
        message: `files[${first}] (line ${report.line([...FILES, first])}) is this file already`,
        expected: 'one content for each file',
      });
    }
    if (typeof content === 'string' && PRIVATE_KEY.test(content)) {
      report.error([...place, 'from'], 'secret-in-file', {
        message: 'it holds a private key, and what "from" names is kept in the workflow\'s history in clear',
        expected: "fromEnv: the name of a variable in the worker's environment",
        found: '',
      });
    }
  }
  for (const section of ['apiServer', 'controllerManager', 'scheduler'] as const) {
    checkVolumes(['spec', 'kubernetes', section, 'extraVolumes'], kubernetes[section].extraVolumes ?? [], report);
  }
};

function checkSource(place: Path, report: Report): void {
  const written = ['from', 'fromEnv'].filter((key) => valueAt(report.document.value, [...place, key]) !== undefined);
  if (written.length === 1) return;
  report.error(place, 'file-source', {
    message: written.length === 0 ? 'nothing says what is in it' : 'from and fromEnv cannot both say what is in it',
    expected: 'from, or fromEnv for a secret',
    found: '',
  });
}

function checkPlace(place: Path, path: string, report: Report): void {
  const [directory = '', name] = path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length + 1).split('/') : [];
  if (name !== undefined && !KUBEADM_DIRECTORIES.includes(directory)) return;
  const isKubeadms = KUBEADM_DIRECTORIES.includes(directory);
  report.error(place, 'file-place', {
    message: isKubeadms
      ? `${ROOT}/${directory} is kubeadm's, and a join that is tried again empties it`
      : 'its directory is mounted into static pods, so it needs one of its own',
    expected: `${ROOT}/DIRECTORY/NAME, such as ${ROOT}/oidc/ca.pem`,
  });
}

/** Names of volumes that kubeadm gives (kubeadm 1.34: phases/controlplane/volumes.go). */
const KUBEADM_VOLUMES =
  /^(ca-certs|k8s-certs|kubeconfig|flexvolume-dir|etcd-certs|etcd-data|etcd-certs-\d+|(etc|usr)-[a-z-]*(certs?|certificates|pki))$/;
/** Paths that kubeadm mounts in each of them: a second mount there ends the pod, or hides the first one. */
const KUBEADM_MOUNTS = /^\/etc\/(kubernetes(\/pki|\/[a-z-]+\.conf)?|ssl\/certs|ca-certificates|pki)$/;

function checkVolumes(base: Path, volumes: Sketch<HostPathVolume[]>, report: Report): void {
  for (const [index, { name, mountPath }] of volumes.entries()) {
    const same = (key: 'name' | 'mountPath', value: string | undefined) =>
      value !== undefined && volumes.findIndex((other) => other[key] === value) < index;
    if (same('name', name)) twice([...base, index, 'name'], 'name', report);
    if (same('mountPath', mountPath)) twice([...base, index], 'mountPath', report);
    if (name !== undefined && (KUBEADM_VOLUMES.test(name) || name.startsWith(OWN_VOLUMES))) {
      report.error([...base, index, 'name'], 'volume-name', {
        message: 'the pod has a volume of this name already',
        expected: 'another name',
      });
    }
    if (mountPath !== undefined && (KUBEADM_MOUNTS.test(mountPath) || isWithin(ROOT, mountPath))) {
      report.error([...base, index], 'volume-mount', {
        message: `kubeadm mounts files of its own at, or below, ${mountPath}`,
        expected: 'another mountPath',
        found: '',
      });
    }
  }
}

function twice(place: Path, key: string, report: Report): void {
  report.error(place, 'volume-twice', {
    message: `another volume of this pod has the same ${key}`,
    expected: `a ${key} of its own`,
    found: '',
  });
}
