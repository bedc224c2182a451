import { kubeProxyMode, SERVICE_MODES } from '../../components/kube-proxy/mode.js';
import { NETWORK_RELEASES, releaseFor } from '../../components/network/versions.js';
import { minorOf } from '../minors.js';
import type { Check } from './index.js';
import { modePath } from './kube-proxy.js';

const PLUGIN = ['spec', 'network', 'plugin'];

/** Pod network × Kubernetes × kube-proxy mode, by one table. */
export const checkNetworkRelease: Check = ({ network: { plugin }, kubernetes }, report) => {
  const { version } = kubernetes;
  if (plugin === undefined || version === undefined || minorOf(version) === undefined) return;
  const all = NETWORK_RELEASES.filter((each) => each.plugin === plugin);
  if (all.length === 0) return;
  const release = releaseFor(plugin, version);
  if (release === undefined) {
    const minors = all.flatMap((each) => each.minors).map((minor) => `1.${minor}`);
    report.error(PLUGIN, 'network-release', {
      message: `no release of ${plugin} that is known here is tested with Kubernetes ${version}`,
      expected: `Kubernetes ${minors.join(', ')}, or another plugin`,
    });
    return;
  }
  const mode = kubeProxyMode(kubernetes.kubeProxy);
  // What is no mode at all is told as that.
  const known = SERVICE_MODES.find((each) => each === mode);
  if (known === undefined || release.kubeProxy.includes(known)) return;
  report.error(modePath(kubernetes.kubeProxy), 'network-release', {
    message:
      known === 'none'
        ? `${plugin} ${release.version} carries no Services: without kube-proxy nothing would`
        : `${plugin} ${release.version} is not set up here for kube-proxy in mode ${mode}`,
    expected: release.kubeProxy.join(' or '),
  });
};
