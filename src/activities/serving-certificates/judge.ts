import type { ClusterHost } from '../../cluster/types.js';
import { messageOf } from '../../errors.js';
import { readCertificateRequest } from './certificate-request.js';

/** A CertificateSigningRequest of the API, as far as an approver has to know. */
export interface SigningRequest {
  name: string;
  /** Who has sent it, as the API server knows. */
  username: string;
  groups: string[];
  usages: string[];
  /** PEM. */
  request: string;
}

export const NODE_GROUP = 'system:nodes';

export function userOf({ name }: Pick<ClusterHost, 'name'>): string {
  return `system:node:${name}`;
}

const USAGES = ['digital signature', 'key encipherment', 'server auth'];

/**
 * What keeps a request for a kubelet's serving certificate from being approved; empty where nothing does. The signer itself
 * asks for the form of subject and usages; that the names are the host's own, nobody but us can know.
 */
export function objectionsTo(signing: SigningRequest, host: Pick<ClusterHost, 'name' | 'address'>): string[] {
  const user = userOf(host);
  if (signing.username !== user) return [`${signing.username} has sent it, not ${user}`];
  const request = tryRead(signing.request);
  if (typeof request === 'string') return [request];
  const { commonNames, organizations, dnsNames, addresses, hasMore } = request;
  const others = [
    ...dnsNames.filter((name) => name !== host.name),
    ...addresses.filter((address) => address !== host.address),
  ];
  const usages = signing.usages.filter((usage) => !USAGES.includes(usage));
  return [
    ...(signing.groups.includes(NODE_GROUP) ? [] : [`its sender is not in ${NODE_GROUP}`]),
    ...(commonNames.join() === user ? [] : [`its subject is ${commonNames.join(', ') || 'empty'}, not ${user}`]),
    ...(organizations.join() === NODE_GROUP ? [] : [`its organization is ${organizations.join(', ') || 'empty'}`]),
    ...(others.length === 0
      ? []
      : [`it asks for ${others.join(', ')}, and the host is ${host.name} at ${host.address}`]),
    ...(addresses.length + dnsNames.length > 0 ? [] : ['it asks for no name']),
    ...(hasMore ? ['it asks for more than names and addresses'] : []),
    ...(usages.length === 0 ? [] : [`it asks for the use ${usages.join(', ')}`]),
    ...(signing.usages.includes('server auth') ? [] : ['it is not for serving']),
  ];
}

function tryRead(pem: string) {
  try {
    return readCertificateRequest(pem);
  } catch (error) {
    return `it cannot be read: ${messageOf(error)}`;
  }
}
