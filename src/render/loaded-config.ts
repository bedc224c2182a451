const DIRECTORY = '/run/kubewright-loaded';

/** Where a service's drop-in records which configuration it read last: `sha256sum`'s line of the file. */
export function loadedConfigPath(service: string): string {
  return `${DIRECTORY}/${service}.sha256`;
}

/**
 * The command of a unit that records the digest of a file as it is at that moment, or of several files one behind the
 * other; its failure stops nothing.
 */
export function recordLoadedConfig(service: string, ...paths: [string, ...string[]]): string {
  const digest = paths.length === 1 ? `sha256sum <${paths[0]}` : `cat ${paths.join(' ')} | sha256sum`;
  return `-/bin/sh -c 'mkdir -p ${DIRECTORY} && ${digest} >${loadedConfigPath(service)}'`;
}

/**
 * Drop-in of a service that reads one configuration file. It records the file's digest at every start and reload, so that
 * a later look can tell a process with this configuration from one that was started before it was written, without
 * trusting any clock.
 *
 * @param extra further lines of the `[Unit]` and `[Service]` sections
 */
export function renderLoadedConfigDropIn(
  service: string,
  configPath: string,
  extra: { unit?: string[]; service?: string[] } = {},
): string {
  const record = recordLoadedConfig(service, configPath);
  const unit = extra.unit ? `[Unit]\n${lines(extra.unit)}\n` : '';
  return `# Written by Kubewright: records which configuration the running ${service} has read.
${unit}[Service]
ExecStartPre=${record}
ExecReload=${record}
${lines(extra.service ?? [])}`;
}

function lines(texts: string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

export function dropInPath(service: string): string {
  return `/etc/systemd/system/${service}.service.d/10-kubewright.conf`;
}
