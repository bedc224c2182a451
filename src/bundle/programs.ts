import { KubewrightError } from '../errors.js';
import { releaseDirectory } from '../render/program-paths.js';
import { type Bundle, bundleCommandFor, file, type LocatedFile } from './bundle.js';

/** Programs of a bundle, and the project that each is released with: its name among the versions of bundle.json. */
const RELEASED_WITH = {
  kubelet: 'kubernetes',
  kubeadm: 'kubernetes',
  kubectl: 'kubernetes',
  crictl: 'cri-tools',
  etcd: 'etcd',
  etcdctl: 'etcd',
  etcdutl: 'etcd',
  containerd: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  crio: 'cri-o',
  pinns: 'cri-o',
  conmon: 'cri-o',
  crun: 'cri-o',
  haproxy: 'load-balancer',
  keepalived: 'load-balancer',
  helm: 'helm',
} as const;

/** Folder of a bundle that holds HAProxy and keepalived with their libraries and loader. */
export const LOAD_BALANCER_FOLDER = 'load-balancer';

/** Folder of a bundle that holds skopeo with its libraries and loader. */
export const SKOPEO_FOLDER = 'skopeo';

export type ProgramName = keyof typeof RELEASED_WITH;

/** A program of a bundle with its place on a host. */
export interface PlacedProgram {
  name: ProgramName;
  file: LocatedFile;
  /** `/opt/kubewright/PROJECT/VERSION/NAME`. */
  target: string;
}

/** @throws KubewrightError KW733 when the bundle lacks the program or does not say its version */
export function placeProgram(bundle: Bundle, name: ProgramName): PlacedProgram {
  const project = RELEASED_WITH[name];
  const target = `${releaseDirectory(project, releaseOf(bundle, project))}/${name}`;
  const folder = project === 'load-balancer' ? LOAD_BALANCER_FOLDER : 'bin';
  return { name, file: file(bundle, `${folder}/${name}`), target };
}

/**
 * Version of what a bundle holds, without a leading `v`.
 *
 * @throws KubewrightError KW733 when bundle.json does not say it, or says what cannot be part of a path
 */
export function releaseOf(bundle: Bundle, project: string): string {
  const version = bundle.versions[project]?.replace(/^v/, '');
  if (version !== undefined && /^[0-9][\w.+-]*$/.test(version)) return version;
  throw new KubewrightError('KW733', `The bundle ${bundle.directory} does not say which ${project} it holds.`, {
    hint: `It was made by another version of Kubewright: make it again with \`${bundleCommandFor(bundle.kubernetesVersion, bundle.architecture)}\`.`,
  });
}
