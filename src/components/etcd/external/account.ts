import type { StepContext } from '../../../activities/types.js';
import { KubewrightError } from '../../../errors.js';
import { accountPath, renderAccount } from './render/account.js';

/** Bash: fact `account`, whether it is there. */
export function accountFact(name: string): string {
  return `fact account id -u ${name}
`;
}

/**
 * Makes the account that members run as, where there is none. One of the distribution's is taken as it is.
 *
 * @throws KubewrightError KW479 when systemd-sysusers does not make it
 */
export async function ensureAccount({ host, signal }: StepContext, name: string): Promise<void> {
  const path = accountPath(name);
  await host.writeFile(path, renderAccount(name));
  const script = `systemd-sysusers ${path} 2>&1 && id -u ${name} >&2\n`;
  const { exitCode, stdout } = await host.run(script, { signal, allowFailure: true });
  if (exitCode === 0) return;
  throw new KubewrightError('KW479', `the account ${name} cannot be created, as which etcd runs`, {
    host: host.name,
    output: stdout.trim().slice(-1000),
    hint: `systemd-sysusers says why above. Create it by hand (\`useradd --system --no-create-home --shell /usr/sbin/nologin ${name}\`), then retry the step.`,
  });
}
