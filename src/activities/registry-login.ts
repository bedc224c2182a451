import type { RegistrySettings } from '../cluster/private-registry.js';
import { KubewrightError } from '../errors.js';
import { registerSecret } from '../hosts/redact.js';

/**
 * The login of the user's registry, from the worker's environment. It is kept out of whatever is shown from now on.
 *
 * @returns `Basic …`, as HTTP has it; undefined where the registry wants none
 * @throws KubewrightError KW368 where the variable is not set, or holds no NAME:PASSWORD
 */
export function registryAuthorization(
  { loginEnv }: Pick<RegistrySettings, 'loginEnv'>,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (loginEnv === null) return undefined;
  const login = env[loginEnv] ?? '';
  if (!/^[^:\s]+:.+$/.test(login)) {
    const what = login === '' ? 'is not set' : 'does not hold NAME:PASSWORD';
    throw new KubewrightError('KW368', `the variable ${loginEnv} ${what} where the worker runs`, {
      hint: 'packages.registry.loginEnv names it. Set it for the worker, or for the command that starts one, and call the command again.',
    });
  }
  registerSecret(login);
  registerSecret(login.slice(login.indexOf(':') + 1));
  const encoded = Buffer.from(login).toString('base64');
  registerSecret(encoded);
  return `Basic ${encoded}`;
}
