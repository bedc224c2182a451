import { Command } from 'commander';
import type { Cluster } from '../cluster/types.js';
import { KubewrightError } from '../errors.js';
import { action, type CommandContext } from './support/action.js';
import { addCarryOptions, type CarryOptions } from './support/carry-options.js';
import { FILE_ARGUMENT, type FileOption } from './support/file-argument.js';
import { isClusterName, lastCluster } from './support/named-cluster.js';
import type { ExitCode, Shell } from './support/shell.js';
import type { Undertaking } from './support/undertaking.js';

/** `kubewright rotate-encryption-key CLUSTER|FILE`: another key of encryption at rest for a living cluster. */
export function rotateEncryptionKeyCommand(shell: Shell): Command {
  const command = new Command('rotate-encryption-key')
    .summary('replace the key with which Secrets are encrypted in etcd')
    .description(
      'Makes a new key of encryption at rest on a control plane, brings it to all of them, writes all Secrets anew with it, and takes ' +
        'the old one away. No API server is restarted. Interrupted or killed at any moment, the same command goes on where it stood.',
    )
    .argument(
      '[cluster|file]',
      'name of a cluster that was installed with this Temporal server, or its cluster.yaml',
      FILE_ARGUMENT[2],
    );
  return addCarryOptions(command, 'rotation').action(action<CarryOptions & FileOption, [string]>(shell, rotate));
}

const OPERATION = 'rotate-encryption-key';

async function rotate(context: CommandContext<CarryOptions & FileOption>, given: string): Promise<ExitCode> {
  const { undertake } = await import('./support/undertaking.js');
  const again = `kubewright ${OPERATION} ${given}`;
  if (context.options.file === undefined && isClusterName(given)) {
    return undertake(context, { operation: OPERATION, name: given }, async (engine) =>
      undertaking(context, await lastCluster(engine, given), again),
    );
  }
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, given);
  requireEncryption(cluster);
  return undertake(context, { operation: OPERATION, name: cluster.name }, () => undertaking(context, cluster, again));
}

async function undertaking(
  { options }: CommandContext<CarryOptions>,
  cluster: Cluster,
  again: string,
): Promise<Undertaking> {
  requireEncryption(cluster);
  const { prepareRun } = await import('../prepare-run.js');
  const run = { ...prepareRun(OPERATION, cluster), patienceMs: options.patience };
  return { operation: OPERATION, cluster, run, again };
}

/** @throws KubewrightError KW103 */
function requireEncryption({ name, security }: Cluster): void {
  if (security?.secretsEncryption !== undefined) return;
  throw new KubewrightError(
    'KW103',
    `the Secrets of ${name} are not encrypted at rest, so there is no key to replace`,
    {
      hint: '`security.secretsEncryption` (or `hardening: cis`) in cluster.yaml encrypts them from the beginning of a cluster.',
    },
  );
}
