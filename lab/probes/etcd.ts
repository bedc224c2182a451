import { type EtcdStatus, parseStatus } from '../../src/components/etcd/members/status.js';
import type { LabHost } from '../hosts/index.js';

/** A command line of etcdctl for a host with a member; `pki` is the directory with what that has of certificates. */
export function etcdctl(pki: string, endpoint: string, command: string): string {
  return `etcdctl --command-timeout=3s --endpoints=${endpoint} --cacert=${pki}/ca.crt --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key ${command}`;
}

/** Asks the member on a host for its status; undefined when there is none that answers. */
export async function etcdStatus(host: LabHost, pki: string): Promise<EtcdStatus | undefined> {
  if ((await host.initPid()) === undefined) return undefined;
  const command = etcdctl(pki, 'https://127.0.0.1:2379', 'endpoint status -w fields');
  const { stdout } = await host.exec(command, { allowFailure: true });
  return parseStatus(stdout);
}
