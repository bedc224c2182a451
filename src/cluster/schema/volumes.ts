import { z } from 'zod';
import { environmentName, flag, hostPath, localPath, volumeName, wrong } from './forms.js';
import { optional, required, section } from './keys.js';

/** As Kubernetes names them (core/v1 HostPathType). */
const PATH_TYPES = ['DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket'] as const;

const volume = z.strictObject(
  {
    name: required(volumeName(), 'Name of the volume.'),
    hostPath: required(hostPath('/var/log/kubernetes'), 'Directory or file on the control planes.'),
    mountPath: optional(hostPath('/var/log/kubernetes'), 'Where the program finds it. Left out: at the same path.'),
    readOnly: optional(flag(), 'Whether the program may only read it.', false),
    pathType: optional(
      z.enum(PATH_TYPES, wrong(PATH_TYPES.join(', '))),
      'What has to be there, or is made. Left out: whatever is there.',
    ),
  },
  wrong('a map with name and hostPath'),
);

/** kubeadm's own list, with its names. */
export const extraVolumes = (program: string) =>
  section(
    z.array(volume, wrong('a list of volumes')),
    `Directories and files of the host that the static pod of ${program} sees. Those of "files" are mounted by themselves.`,
    [],
  );

const file = z.strictObject(
  {
    path: required(
      hostPath('/etc/kubernetes/oidc/ca.pem'),
      'Where it lies on the hosts: /etc/kubernetes/DIRECTORY/NAME.',
    ),
    from: optional(
      localPath('./oidc-ca.pem'),
      'File, relative to this one. It is read at once and travels with the plan.',
    ),
    fromEnv: optional(
      environmentName(),
      "For secrets: name of the variable in the worker's environment that holds the content. It never enters the plan.",
    ),
  },
  wrong('a map with path, and from or fromEnv'),
);

export const files = section(
  z.array(file, wrong('a list of files')),
  "Files that flags refer to. Every control plane has them before it is one, root's alone (0600), and the static pods whose flags name their directory see it.",
  [],
);
