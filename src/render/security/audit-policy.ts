import { renderYaml } from '../yaml.js';

/**
 * The audit policy where a file brings none: who did what to which object, with what was asked for where somebody changes
 * something, and never what is in Secrets, ConfigMaps and tokens. The first rule that fits a request counts.
 */
export function renderAuditPolicy(): string {
  return renderYaml({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    // What was received is told again with its answer.
    omitStages: ['RequestReceived'],
    rules: [...CONFIDENTIAL, ...NOISE, ...INTO_PODS, ...CHANGES, { level: 'Metadata' }],
  });
}

const core = (...resources: string[]) => ({ group: '', resources });

/** Their requests and answers hold what must be in no log. */
const CONFIDENTIAL = [
  {
    level: 'Metadata',
    resources: [
      core('secrets', 'configmaps', 'serviceaccounts/token'),
      { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
    ],
  },
];

/** Many times a second, by the components themselves, and of no use to whoever looks for a cause. */
const NOISE = [
  { level: 'None', nonResourceURLs: ['/livez*', '/readyz*', '/healthz*', '/version', '/openapi*'] },
  { level: 'None', resources: [core('events'), { group: 'events.k8s.io', resources: ['events'] }] },
  {
    level: 'None',
    userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'],
    verbs: ['get', 'list', 'watch', 'update'],
    resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
  },
  {
    level: 'None',
    users: ['system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver'],
    verbs: ['get', 'list', 'watch', 'update'],
    resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
  },
  {
    level: 'None',
    userGroups: ['system:nodes'],
    verbs: ['patch', 'update'],
    resources: [core('nodes/status', 'pods/status')],
  },
];

/** Ways into a container: that somebody took one, and which, without what went through it. */
const INTO_PODS = [
  {
    level: 'Metadata',
    resources: [core('pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy', 'nodes/proxy')],
  },
];

const CHANGES = [{ level: 'Request', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] }];
