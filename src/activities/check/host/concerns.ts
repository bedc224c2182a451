import { certificates } from './certificates.js';
import type { Concern } from './concern.js';
import { conntrack } from './conntrack.js';
import { disks } from './disks.js';
import { drift } from './drift.js';
import { etcdLatency } from './etcd-latency.js';
import { etcdMember } from './etcd-member.js';
import { kernelLog } from './kernel-log.js';
import { servedCertificates } from './served-certificates.js';
import { snapshots } from './snapshots.js';
import { staticPods } from './static-pods.js';
import { units } from './units.js';

/** All that is looked at on each host besides its clock, in the order in which faults are told. */
export const CONCERNS: readonly Concern[] = [
  units,
  staticPods,
  etcdMember,
  etcdLatency,
  snapshots,
  disks,
  certificates,
  servedCertificates,
  kernelLog,
  conntrack,
  drift,
];
