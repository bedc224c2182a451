import {
  hasKubeProxy,
  isKubeProxyMode,
  KUBE_PROXY_MODES,
  type KubeProxySection,
  kubeProxyMode,
} from '../../components/kube-proxy/mode.js';
import { minorOf } from '../minors.js';
import type { Path } from '../path.js';
import type { Check } from './index.js';

const KUBE_PROXY: Path = ['spec', 'kubernetes', 'kubeProxy'];
const IN_CONFIG: Path = [...KUBE_PROXY, 'config', 'mode'];

/** Where the mode stands. */
export function modePath({ mode }: Pick<KubeProxySection, 'mode'>): Path {
  return mode === undefined ? IN_CONFIG : [...KUBE_PROXY, 'mode'];
}

/** One mode, which kube-proxy has, and which has a future. */
export const checkKubeProxy: Check = ({ kubernetes }, report) => {
  const { kubeProxy, version } = kubernetes;
  if (kubeProxy.mode !== undefined && report.written(IN_CONFIG)) {
    report.error(IN_CONFIG, 'managed-setting', {
      message: 'spec.kubernetes.kubeProxy.mode says it',
      expected: 'one of the two',
      at: 'key',
    });
    return;
  }
  if (!hasKubeProxy(kubeProxy)) {
    if (Object.keys(kubeProxy.config).length === 0) return;
    report.error([...KUBE_PROXY, 'config'], 'kube-proxy-none', {
      message: 'there is no kube-proxy that would read it: spec.kubernetes.kubeProxy.mode is none',
      expected: 'no such key, or another mode',
      at: 'key',
    });
    return;
  }
  const written = kubeProxy.config.mode;
  if (kubeProxy.mode === undefined && report.written(IN_CONFIG) && written !== '' && !isKubeProxyMode(written)) {
    report.error(IN_CONFIG, 'kube-proxy-mode', {
      message: 'kube-proxy has no such mode, and would end at its start',
      expected: KUBE_PROXY_MODES.join(', '),
    });
    return;
  }
  const minor = version === undefined ? undefined : minorOf(version);
  if (kubeProxyMode(kubeProxy) !== 'ipvs' || minor?.deprecatesIpvs !== true) return;
  report.warn(modePath(kubeProxy), 'kube-proxy-ipvs', {
    message: 'deprecated since Kubernetes 1.35: nobody there looks after it any more, and it is to be switched off',
    expected: 'nftables, where every node has Linux 5.13 or newer; else iptables',
  });
};
