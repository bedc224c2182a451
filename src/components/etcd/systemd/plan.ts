import type { Role } from '../../../cluster/types.js';
import { folders, type Leftover, ours } from '../../leftovers.js';
import type { Etcd } from '../../types.js';
import { externalOn } from '../external/plan.js';
import { accountPath } from '../external/render/account.js';
import { ETCD_UNIT_PATH } from '../members/places.js';
import { ACCOUNT, DATA_DIRECTORY, PKI, SERVICE } from './paths.js';
import { settingsOf } from './settings.js';

const LEAVES: readonly Leftover[] = [
  ...ours([ETCD_UNIT_PATH, accountPath(ACCOUNT), DATA_DIRECTORY]),
  // No sign of a node: one may join on this host and be cleaned up after while the member lives.
  { kind: 'content', name: DATA_DIRECTORY, by: 'etcd', means: 'trace' },
  ...folders('etcd', [DATA_DIRECTORY]),
];

/** Members that systemd runs, on hosts of one role: etcd is there before containers and kubelets are, and without them. */
function systemdOn(memberRole: Role): Etcd {
  return {
    ...externalOn(memberRole, { action: 'startEtcdService', needs: ['binaries'] }),
    inPods: false,
    pki: PKI,
    dataDirectory: DATA_DIRECTORY,
    certificates: (cluster) => {
      const { certificateValidityDays, certificateSANs } = settingsOf(cluster);
      return { validityDays: certificateValidityDays, names: certificateSANs };
    },
    account: ACCOUNT,
    programs: ['etcd'],
    drilled: { unit: SERVICE },
    log: `\`journalctl -u ${SERVICE}\``,
    leaves: LEAVES,
    // Not its authority's: that is made once, and a person has to know when it ends.
    renews: /\/pki\/(etcd\/(server|peer|healthcheck-client)|apiserver-etcd-client)\.crt$/,
  };
}

export const systemd = { stacked: systemdOn('control-plane'), external: systemdOn('etcd') };
