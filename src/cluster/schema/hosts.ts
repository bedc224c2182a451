import { z } from 'zod';
import { DEFAULTS } from '../defaults.js';
import {
  environmentName,
  flag,
  ipv4,
  labelKey,
  labelValue,
  localPath,
  nodeName,
  port,
  sshAddress,
  userName,
  wrong,
} from './forms.js';
import { nullable, optional, required, section } from './keys.js';

const keyFiles = (whose: string, fallback?: readonly string[]) => ({
  keyFile: optional(localPath('~/.ssh/id_ed25519'), `One private key ${whose}: short for keyFiles with one entry.`),
  keyFiles: section(
    z.array(localPath('~/.ssh/id_ed25519'), wrong('a list of paths')),
    `Private keys ${whose}, tried in this order.`,
    fallback,
  ),
});

const bastion = z.strictObject(
  {
    address: required(sshAddress(), 'Address or DNS name of the bastion.'),
    port: optional(port(), 'Its SSH port.', DEFAULTS.ssh.port),
    user: optional(userName(), "Login user there. Default: the host's own ssh.user."),
    ...keyFiles("for the bastion (default: the host's own)"),
  },
  wrong('a map with address, port, user and keyFiles'),
);

/** A host's own settings have no defaults but those of `spec.ssh`, so editors must not be told of others. */
const connection = (defaults: Partial<typeof DEFAULTS.ssh>) => ({
  client: optional(
    z.enum(['ssh2', 'openssh'], wrong('ssh2 or openssh')),
    "ssh2 is built in. openssh is the worker machine's own ssh, with all that your SSH configuration says and runs.",
    defaults.client,
  ),
  user: optional(userName(), 'Login user. One that is not root needs sudo.', defaults.user),
  port: optional(port(), 'SSH port.', defaults.port),
  ...keyFiles('on the machine of the worker', defaults.keyFiles),
  agent: optional(flag(), 'Whether the SSH agent ($SSH_AUTH_SOCK of the worker) is asked.', defaults.agent),
  configFile: nullable(
    localPath('~/.ssh/config'),
    'OpenSSH client configuration that is read; null reads none.',
    defaults.configFile,
  ),
  knownHostsFile: optional(localPath('~/.ssh/known_hosts'), "File with the hosts' keys.", defaults.knownHostsFile),
  hostKeys: optional(
    z.enum(['strict', 'accept-new'], wrong('strict or accept-new')),
    'strict refuses a host whose key is unknown; accept-new notes it down. A changed key is always refused.',
    defaults.hostKeys,
  ),
  bastion: nullable(bastion, 'Host through which the connection goes; null for none.', defaults.bastion),
  sudoPasswordEnv: nullable(
    environmentName(),
    "Name of the variable in the worker's environment that holds the sudo password. The password never stands in this file.",
    defaults.sudoPasswordEnv,
  ),
});

/** `spec.ssh`: for all hosts. */
export const sshDefaults = z.strictObject(connection(DEFAULTS.ssh), wrong('a map with user, port, keyFiles …'));

const sshOfHost = z.strictObject(
  {
    address: optional(sshAddress(), "Address or DNS name to connect to. Default: the host's own address."),
    ...connection({}),
  },
  wrong('a map with address, user, port, keyFiles …'),
);

const taint = z.strictObject(
  {
    key: required(labelKey(), 'Key of the taint.'),
    value: optional(labelValue(), 'Value of the taint.', ''),
    effect: required(
      z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], wrong('NoSchedule, PreferNoSchedule or NoExecute')),
      'What it does to pods that do not tolerate it.',
    ),
  },
  wrong('a map such as { key: dedicated, value: database, effect: NoSchedule }'),
);

export const host = z.strictObject(
  {
    name: required(nodeName(), 'Name of the node. Becomes the host name in Kubernetes and in every step.'),
    address: required(
      ipv4('10.88.0.11'),
      'IPv4 address that the cluster uses: node address, API server, etcd. It is never detected.',
    ),
    role: required(
      z.enum(['control-plane', 'worker', 'etcd', 'director'], wrong('control-plane, worker, etcd or director')),
      'What runs there. etcd is an etcd member outside of the cluster, and makes the topology external. director is outside of it as well, and has LVS (loadBalancer.type: lvs).',
    ),
    labels: section(z.record(labelKey(), labelValue(), wrong('a map of labels')), 'Labels of the node.', {}),
    taints: section(
      z.array(taint, wrong('a list of taints')),
      "Taints of the node. Left out: kubeadm's own (control planes have one, workers none). []: none at all.",
    ),
    ssh: section(sshOfHost, 'How this host is reached, where that differs from spec.ssh.'),
  },
  wrong('a map with name, address and role'),
);
