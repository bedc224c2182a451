import { failed, type Said, said } from './api.js';
import type { FakeHost } from './host.js';

/** Whether the host has a member of etcd, which takes clients. */
export function isMember(host: FakeHost): boolean {
  return host.cluster.members.some(({ name }) => name === host.name);
}

/** etcdctl. @returns undefined for what is not known */
export function answerEtcd(host: FakeHost, words: string[]): Said | undefined {
  const call = words.filter((word) => !/^--(dial-timeout|command-timeout|endpoints|cacert|cert|key)=/.test(word));
  const { members } = host.cluster;
  switch (call.join(' ')) {
    case 'member list':
      return isMember(host) ? said(memberList(host)) : failed('context deadline exceeded\n');
    case 'endpoint health --cluster':
      return said('');
    case 'endpoint status --cluster --write-out=json':
      return said(JSON.stringify(members.map(() => ({ Status: { header: { cluster_id: 4711 } } }))));
    default:
      return undefined;
  }
}

/** As `etcdctl member list` prints it. */
export function memberList(host: FakeHost): string {
  return host.cluster.members
    .map(
      ({ id, name, address }) => `${id}, started, ${name}, https://${address}:2380, https://${address}:2379, false\n`,
    )
    .join('');
}
