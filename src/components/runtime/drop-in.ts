import { recordLoadedConfig } from '../../render/loaded-config.js';

/** Through which images are pulled, and from where they are not. */
export interface PullProxy {
  url: string;
  /** As Go's programs read NO_PROXY. */
  except: string;
}

/**
 * Drop-in that records, at every start of a runtime, which configuration it read: so a later look can tell a process with
 * this configuration from one that was started before. There is no reload. One that looks through many containers on a slow
 * disk is not ended by systemd after its usual 90 s, only to begin anew.
 *
 * @param service name of the unit, and of the program: `containerd`
 * @param paths files whose digest, one behind the other, is recorded
 * @param proxy for pulling images; null: none, whatever systemd gives to other services
 */
export function renderRuntimeDropIn(service: string, paths: [string, ...string[]], proxy: PullProxy | null): string {
  return `# Written by Kubewright: records which configuration the running ${service} has read.
[Service]
ExecStartPre=${recordLoadedConfig(service, ...paths)}
TimeoutStartSec=600
${proxy === null ? '' : renderProxy(proxy)}`;
}

function renderProxy({ url, except }: PullProxy): string {
  const variables = [`HTTP_PROXY=${url}`, `HTTPS_PROXY=${url}`, `NO_PROXY=${except}`];
  return variables.map((variable) => `Environment=${variable}\n`).join('');
}
