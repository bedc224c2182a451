import { quote } from '../../../../hosts/shell.js';

/** Where helm and the chart lie on a host, and what the chart is rendered for. */
export interface Rendering {
  helm: string;
  chart: string;
  /** Without a leading v. */
  kubernetesVersion: string;
}

/**
 * Prints the objects of the chart; the values come on standard input. helm asks no cluster: which Kubernetes it is, it is told. Plugins
 * and repositories of a user are none of it: it is shown an empty folder, which goes with the command.
 */
export function helmScript({ helm, chart, kubernetesVersion }: Rendering): string {
  const homes = ['CACHE', 'CONFIG', 'DATA'].map((place) => `HELM_${place}_HOME="$home"`).join(' ');
  const options = `--namespace kube-system --kube-version v${kubernetesVersion} --values -`;
  return `home=$(mktemp -d) || exit
trap 'rm -rf "$home"' EXIT
${homes} ${quote(helm)} template cilium ${quote(chart)} ${options}
`;
}
