import { MANIFESTS_DIRECTORY } from './kubeadm-paths.js';

/**
 * Bash that hands a manifest to the kubelet as a whole. The kubelet passes over names that begin with a dot, so it never
 * reads half of one.
 *
 * @param path of the manifest on the host, elsewhere than where the kubelet looks
 */
export function layManifest(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const target = `${MANIFESTS_DIRECTORY}/${name}`;
  return `mkdir -p ${MANIFESTS_DIRECTORY}
cp ${path} ${MANIFESTS_DIRECTORY}/.${name}.new
sync ${MANIFESTS_DIRECTORY}/.${name}.new
mv -f ${MANIFESTS_DIRECTORY}/.${name}.new ${target}
`;
}
