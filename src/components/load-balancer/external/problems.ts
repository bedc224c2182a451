import { X509Certificate } from 'node:crypto';
import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { PeerFacts } from '../../../activities/prepare/facts/cluster-facts.js';
import type { Cluster } from '../../../cluster/types.js';
import { endpointOf } from '../../../render/kubeadm.js';
import type { EndpointView } from './preflight.js';
import { addressOf } from './settings.js';

/**
 * What is wrong with an external endpoint as far as hosts can tell before an API server runs behind it; pure.
 *
 * @param peers who is of this cluster already: what its CA has signed is rightly there
 */
export function endpointProblems(cluster: Cluster, peers: PeerFacts[], views: EndpointView[]): Problem[] {
  const names = nameProblems(addressOf(cluster), views);
  const found = views.filter(({ resolved }) => resolved === undefined || resolved.length > 0);
  return [...names, ...strangers(cluster, peers, found), ...reachProblems(endpointOf(cluster), found)];
}

const MEND_NAME =
  'Correct the name, or what /etc/hosts and the name servers of these hosts say of it, or give the address itself as "endpoint.address".';

function nameProblems(name: string, views: EndpointView[]): Problem[] {
  const problems: Problem[] = [];
  const asked = views.flatMap(({ host, resolved }) => (resolved === undefined ? [] : [{ host, resolved }]));
  const without = asked.filter(({ resolved }) => resolved.length === 0).map(({ host }) => host);
  if (without.length > 0) {
    const what = `the API's name ${name} has no IPv4 address on ${listed(without)}`;
    problems.push({ code: 'KW370', what, hint: MEND_NAME, hosts: without });
  }
  const own = asked.filter(({ resolved }) => resolved.some((address) => address.startsWith('127.')));
  if (own.length > 0) {
    const hosts = own.map(({ host }) => host);
    const what = `the API's name ${name} means the host itself on ${listed(hosts)} (a loopback address)`;
    problems.push({ code: 'KW370', what, hint: MEND_NAME, hosts });
  }
  return [...problems, ...atOdds(name, asked)];
}

function atOdds(name: string, asked: { host: string; resolved: string[] }[]): Problem[] {
  const groups = new Map<string, string[]>();
  for (const { host, resolved } of asked) {
    if (resolved.length === 0) continue;
    const addresses = listed(resolved);
    groups.set(addresses, [...(groups.get(addresses) ?? []), host]);
  }
  if (groups.size < 2) return [];
  const each = [...groups].map(([addresses, hosts]) => `${addresses} on ${listed(hosts)}`);
  const what = `the API's name ${name} has different addresses: ${each.join('; ')}`;
  const hint = `${MEND_NAME} Where each of them leads to the same API servers on purpose, say so in preflight.ignore.`;
  return [{ code: 'KW371', what, hint, hosts: [...groups.values()].flat() }];
}

/** Whoever answers there before the cluster begins is somebody else; afterwards, whoever the cluster's CA does not vouch for. */
function strangers(cluster: Cluster, peers: PeerFacts[], views: EndpointView[]): Problem[] {
  const endpoint = endpointOf(cluster);
  const ours = new Set(peers.filter((peer) => peer.ours).map(({ name }) => name));
  const authorities = views.filter(({ host, authority }) => ours.has(host) && authority !== '').map(certificateOf);
  const groups = new Map<string, string[]>();
  for (const view of views) {
    const who = strangerIn(view, authorities);
    if (who !== undefined) groups.set(who, [...(groups.get(who) ?? []), view.host]);
  }
  const unlooked = views.filter(({ looked, reach }) => !looked && reach === 'connected').map(({ host }) => host);
  return [
    ...[...groups].map(([who, hosts]) => ({
      code: 'KW372',
      what: `something else answers at ${endpoint}, as seen from ${listed(hosts)}: ${who}`,
      hint: "Nothing but this cluster's API servers may answer there, with their own certificates: let the balancer pass TCP on to the control planes' API servers without ending TLS, or correct endpoint.address and endpoint.port.",
      hosts,
    })),
    ...(unlooked.length === 0 ? [] : [notLooked(endpoint, unlooked)]),
  ];
}

function notLooked(endpoint: string, hosts: string[]): Problem {
  const what = `whose certificate answers at ${endpoint} is not known from ${listed(hosts)}, which have no openssl yet`;
  return { code: 'KW372', what, hint: 'The last steps of the install look again.', hosts, severity: 'warning' };
}

function certificateOf({ authority }: EndpointView): X509Certificate {
  return new X509Certificate(authority);
}

/** Who answers, in words; undefined when nobody does, or one of the cluster's own. */
function strangerIn({ certificate, greeting }: EndpointView, authorities: X509Certificate[]): string | undefined {
  if (certificate === '') return greeting === '' ? undefined : `no TLS, but "${greeting}"`;
  const shown = new X509Certificate(certificate);
  if (authorities.some((authority) => shown.checkIssued(authority) && shown.verify(authority.publicKey)))
    return undefined;
  return `a certificate of ${inWords(shown.subject)}, issued by ${inWords(shown.issuer)}`;
}

/** A distinguished name on one line. */
function inWords(name: string | undefined): string {
  return name === undefined || name === '' ? 'nobody' : name.split('\n').join(', ');
}

/** From the most to the least that a connection can tell. */
const REACHES = ['connected', 'refused', 'silent'];

/**
 * A balancer without a server behind it may refuse connections, or swallow them: that all hosts see the same then says
 * nothing against it. What only some of them see is wrong on the way, and so is a missing route.
 */
function reachProblems(endpoint: string, views: EndpointView[]): Problem[] {
  const best = REACHES.find((reach) => views.some((view) => view.reach === reach));
  const worse = views.filter(({ reach }) => reach !== best);
  if (worse.length > 0) {
    const each = worse.map(({ host, reach }) => `${host} (${saysOf(reach)})`);
    const others = best === undefined ? '' : `; on other hosts ${saysOf(best)}`;
    return [
      {
        code: 'KW373',
        what: `the load balancer at ${endpoint} is out of reach of ${listed(each)}${others}`,
        hint: 'Let these hosts connect to it: see their routes (`ip route get ADDRESS`) and the firewalls on the way.',
        hosts: worse.map(({ host }) => host),
      },
    ];
  }
  if (best === 'connected' || best === undefined) return [];
  return [
    {
      code: 'KW373',
      what: `nobody answers at ${endpoint} yet: ${saysOf(best)} on every host. A balancer without a server behind it may do so`,
      hint: 'See that it listens there, and passes TCP on to the API server of every control plane: the first one waits for it.',
      hosts: views.map(({ host }) => host),
      severity: 'warning',
    },
  ];
}

function saysOf(reach: string): string {
  if (reach === 'connected') return 'a connection is made';
  if (reach === 'refused') return 'the connection is refused';
  return reach === 'silent' ? 'nothing comes back' : reach === '' ? 'it does not tell' : reach;
}
