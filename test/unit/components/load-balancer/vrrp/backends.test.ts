import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backendFaults } from '../../../../../src/components/load-balancer/vrrp/steps/backends.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

/** As HAProxy 2.6 answers, shortened: names of columns first, and the backend's own line last. */
function stats(servers: Record<string, string>): string {
  const line = (name: string, status: string, check: string) => `ready,${name},0,0,${status},1,${check},"Layer4, x",`;
  const lines = Object.entries(servers).map(([name, said]) => {
    const [status = '', check = ''] = said.split(';');
    return line(name, status, check);
  });
  const others = [
    'monitor,FRONTEND,0,0,OPEN,,,,',
    ...Object.keys(servers).map((name) => `answer,${name},0,0,DOWN,1,L4CON,,`),
  ];
  return [
    'HTTP/1.0 200 OK',
    '',
    '# pxname,svname,qcur,qmax,status,weight,check_status,last_chk,',
    ...others,
    ...lines,
    line('BACKEND', 'DOWN', ''),
    '',
  ].join('\r\n');
}

const ALL_UP = { 'cp-1': 'UP;L7OK', 'cp-2': 'UP;L7OK', 'cp-3': 'UP 1/3;L7OK' };

describe('what balancers lead to', () => {
  let hosts: BashHosts;
  const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
  beforeEach(() => {
    hosts = new BashHosts(cluster);
    hosts.program('kubectl', '[ ! -e $SHARED/down-$HOST ] || { echo refused >&2; exit 1; }; echo -n ok');
    // Nothing listens for the hosts: where the script connects it reads what the test has put there.
    hosts.program('timeout', 'shift; [ "$1" = cat ] || exec "$@"; cat "$SHARED/stats-$HOST" 2>/dev/null');
    for (const name of ['cp-1', 'cp-2', 'cp-3']) tells(name, ALL_UP);
  });
  afterEach(() => hosts.remove());

  const tells = (name: string, servers: Record<string, string>) =>
    hosts.write('.', `stats-${name}`, stats({ ...ALL_UP, ...servers }));
  const look = () => backendFaults(hosts.context('checkEndpoint', null, new AbortController().signal));

  it('is every API server that is ready', async () => {
    expect(await look()).toEqual([]);
  });

  it('may be past one that is ready, for one balancer alone', async () => {
    tells('cp-3', { 'cp-1': 'DOWN;L4TOUT', 'cp-2': 'DOWN 1/2;L7STS' });
    expect(await look()).toEqual([
      'HAProxy of cp-3 does not lead to cp-1 (L4TOUT), cp-2 (L7STS), though the API server there is ready',
    ]);
  });

  it('is rightly no server that is not ready, which is a finding of its own', async () => {
    hosts.write('.', 'down-cp-2');
    for (const name of ['cp-1', 'cp-2', 'cp-3']) tells(name, { 'cp-2': 'DOWN;L4CON' });
    expect(await look()).toEqual([]);
  });

  it('is not known of a host that is away, or whose configuration is of an earlier version', async () => {
    tells('cp-1', { 'cp-2': 'DOWN;L4TOUT' });
    hosts.away.add('cp-1');
    hosts.write('.', 'stats-cp-2', 'HTTP/1.0 503 Service Unavailable\r\n\r\n');
    expect(await look()).toEqual([]);
  });
});
