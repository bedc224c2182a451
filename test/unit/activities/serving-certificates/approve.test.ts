import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveServingCertificate } from '../../../../src/activities/serving-certificates/approveServingCertificate.js';
import { servingFindings } from '../../../../src/activities/serving-certificates/findings.js';
import { servingFault } from '../../../../src/activities/serving-certificates/look.js';
import type { Cluster, ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

const cluster: Cluster = {
  ...clusterOf({ controlPlanes: 1, workers: 1 }),
  security: { kubeletServingCertificates: 'cluster' },
};
const w1 = cluster.hosts.find(({ name }) => name === 'w-1') as ClusterHost;
const SERVING = '/var/lib/kubelet/pki/kubelet-server-current.pem';

const directory = mkdtempSync(join(tmpdir(), 'kubewright-serving-'));
afterAll(() => rmSync(directory, { recursive: true }));
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
openssl('req', '-x509', ...EC, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=kubernetes', '-days', '30');
openssl('req', '-x509', ...EC, '-keyout', 'other.key', '-out', 'other.crt', '-subj', '/CN=kubernetes', '-days', '30');
const file = (name: string) => readFileSync(join(directory, name), 'utf8');

function requestFor(names: string): string {
  return openssl(
    'req',
    '-new',
    ...EC,
    '-keyout',
    'w-1.key',
    '-subj',
    '/O=system:nodes/CN=system:node:w-1',
    '-addext',
    `subjectAltName=${names}`,
  );
}

/** Certificate and key in one file, as the kubelet keeps them. */
function served(names: string, ca = 'ca', days = '10'): string {
  writeFileSync(join(directory, 'w-1.csr'), requestFor(names));
  const signed = openssl(
    'x509',
    '-req',
    '-in',
    'w-1.csr',
    '-CA',
    `${ca}.crt`,
    '-CAkey',
    `${ca}.key`,
    '-days',
    days,
    '-copy_extensions',
    'copy',
  );
  return `${signed}${file('w-1.key')}`;
}

const NAMES = 'DNS:w-1,IP:10.88.0.21';

let hosts: BashHosts;
beforeEach(() => {
  hosts = new BashHosts(cluster);
  for (const name of ['cp-1', 'w-1']) hosts.write(name, '/etc/kubernetes/pki/ca.crt', file('ca.crt'));
  hosts.write('cp-1', '/etc/kubernetes/admin.conf');
  // The API: lists what lies in `requests`, and notes what was approved. The kubelet then has its certificate.
  hosts.program(
    'kubectl',
    `case "$*" in
  *readyz*) printf ok ;;
  *'get certificatesigningrequests'*) cat "$SHARED/requests" ;;
  *'certificate approve'*)
    echo "$*" | sed 's/.*approve //' >>"$SHARED/approved"
    : >"$SHARED/requests"
    [ ! -e "$SHARED/signed" ] || { mkdir -p "$SHARED/w-1/var/lib/kubelet/pki"; cp "$SHARED/signed" "$SHARED/w-1${SERVING}"; } ;;
  *) echo "no such call: $*" >&2; exit 1 ;;
esac`,
  );
});
afterEach(() => hosts.remove());

function asks(...requests: { name: string; user?: string; names?: string; decided?: string }[]): void {
  const lines = requests.map(({ name, user = 'system:node:w-1', names = NAMES, decided = '' }) =>
    [
      name,
      user,
      JSON.stringify(['system:nodes', 'system:authenticated']),
      JSON.stringify(['digital signature', 'server auth']),
      decided,
      Buffer.from(requestFor(names)).toString('base64'),
    ].join('\t'),
  );
  writeFileSync(join(hosts.root, 'requests'), lines.map((line) => `${line}\n`).join(''));
}

const stop = new Error('it waits');
function context() {
  const controller = new AbortController();
  return hosts.context('approveServingCertificate', 'w-1', controller.signal, () => controller.abort(stop));
}
const apply = () => approveServingCertificate.apply(context(), { done: false, found: '', changes: [] });

describe("a kubelet's serving certificate", () => {
  it('is approved when the request is the host’s own, and the step ends when the kubelet has it', async () => {
    asks({ name: 'csr-w2', user: 'system:node:w-2' }, { name: 'csr-old', decided: 'Denied' }, { name: 'csr-w1' });
    writeFileSync(join(hosts.root, 'signed'), served(NAMES));
    expect(await approveServingCertificate.probe(context())).toMatchObject({ done: false });
    await apply();
    expect(hosts.shared('approved').trim()).toBe('csr-w1');
    expect(await approveServingCertificate.probe(context())).toMatchObject({ done: true });
  });

  it('is not approved for an address that is not the host’s', async () => {
    asks({ name: 'csr-w1', names: 'DNS:w-1,IP:10.88.0.100' });
    await expect(apply()).rejects.toThrow();
    expect(hosts.shared('approved')).toBe('');
  });

  it('is waited for where nobody has asked yet', async () => {
    asks();
    await expect(apply()).rejects.toThrow();
    expect(hosts.shared('approved')).toBe('');
  });

  it('is renewed when the kubelet asks again, and not looked at where it does not', async () => {
    hosts.write('w-1', SERVING, served(NAMES));
    asks();
    expect(await approveServingCertificate.probe(context())).toMatchObject({ done: true });
    asks({ name: 'csr-renewal' });
    expect(await approveServingCertificate.probe(context())).toMatchObject({
      done: false,
      changes: [expect.stringContaining('csr-renewal')],
    });
    await apply();
    expect(hosts.shared('approved').trim()).toBe('csr-renewal');
  });

  it('is not called whole while nobody says whether the kubelet waits for a new one', async () => {
    hosts.write('w-1', SERVING, served(NAMES));
    writeFileSync(join(hosts.root, 'requests'), 'csr-renewal\tsystem:node:w-1\t');
    expect(await approveServingCertificate.probe(context())).toMatchObject({
      done: false,
      unasked: expect.stringContaining('cannot be read'),
    });
    hosts.program('kubectl', 'exit 1');
    expect(await approveServingCertificate.probe(context())).toMatchObject({
      done: false,
      unasked: 'no control plane answers',
    });
  });

  it('that somebody has to approve is told by a health check, with its node', async () => {
    asks({ name: 'csr-renewal' }, { name: 'csr-done', decided: 'Approved' });
    expect(await servingFindings(context())).toMatchObject([
      { code: 'KW493', host: 'w-1', evidence: expect.stringContaining('(csr-renewal)') },
    ]);
    asks();
    expect(await servingFindings(context())).toEqual([]);
  });

  it('that nobody could tell is a finding too, and not that none waits', async () => {
    writeFileSync(join(hosts.root, 'requests'), 'csr-renewal\tsystem:node:w-1\n');
    expect(await servingFindings(context())).toMatchObject([
      { code: 'KW493', host: 'cp-1', evidence: expect.stringContaining('cannot be told') },
    ]);
  });

  it('counts only when it is of the cluster’s CA, names the host and has not ended', async () => {
    const fault = (now?: number) => servingFault(context(), w1, now);
    expect(await fault()).toContain('no certificate');
    hosts.write('w-1', SERVING, served(NAMES, 'other'));
    expect(await fault()).toContain('another CA');
    hosts.write('w-1', SERVING, served('DNS:w-2'));
    expect(await fault()).toContain('names neither');
    hosts.write('w-1', SERVING, served(NAMES));
    expect(await fault()).toBeUndefined();
    expect(await fault(Date.now() + 11 * 86_400_000)).toContain('has ended');
  });
});
