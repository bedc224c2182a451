import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkApiServer } from '../../../../src/activities/check/checkApiServer.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

/** As `kubectl get --raw` prints the answer of an API server that is not ready: quoted, so it is one line, and longer than is kept. */
const NOT_READY = `Error from server (InternalError): an error on the server ("${[
  '[+]ping ok',
  '[+]log ok',
  '[-]etcd failed: reason withheld',
  '[-]poststarthook/rbac/bootstrap-roles failed: reason withheld',
  ...Array.from({ length: 40 }, (_, hook) => `[+]poststarthook/start-controller-${hook} ok`),
  'readyz check failed',
].join('\\n')}") has prevented the request from succeeding`;

describe('one API server', () => {
  let hosts: BashHosts;
  beforeEach(() => {
    hosts = new BashHosts(clusterOf({ controlPlanes: 1, workers: 0 }));
  });
  afterEach(() => hosts.remove());

  const look = async (program: string) => {
    hosts.program('kubectl', program);
    const probe = await checkApiServer.probe(hosts.context('checkApiServer', 'cp-1', new AbortController().signal));
    return probe.findings;
  };

  it('is ready', async () => {
    const asked = await look('[[ "$*" = *"get --raw /readyz?verbose" ]] && echo "[+]ping ok"');
    expect(asked).toEqual([]);
  });

  it.each([
    [
      'names the checks that fail, and none of the others',
      NOT_READY,
      /not say that it is ready: etcd failed: reason withheld, poststarthook\/rbac\/bootstrap-roles failed: reason withheld$/,
    ],
    [
      'says what kubectl says when nobody answers',
      'The connection to the server 10.88.0.11:6443 was refused',
      /not say that it is ready: The connection to the server 10\.88\.0\.11:6443 was refused$/,
    ],
  ])('%s', async (_, said, evidence) => {
    expect(await look(`cat >&2 <<'END'\n${said}\nEND\nexit 1`)).toMatchObject([
      { code: 'KW601', host: 'cp-1', evidence: expect.stringMatching(evidence) },
    ]);
  });
});
