import { execFileSync } from 'node:child_process';
import { hostname, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseHostFacts } from '../../../../src/activities/prepare/facts/host-facts.js';
import {
  CERTIFICATE_DIGEST,
  growingFolders,
  hostFactsScript,
} from '../../../../src/activities/prepare/facts/script.js';
import { Facts, factsProgram } from '../../../../src/activities/remote-facts.js';
import { QUESTIONS } from './facts-host.js';
import { factsWith } from './fixtures.js';

/** The script itself, on this machine, which is a Linux machine as good as any: it only reads. */
describe('facts of a host', () => {
  it('are what the machine says elsewhere', () => {
    const facts = parseHostFacts(
      new Facts(
        execFileSync('bash', {
          input: factsProgram(hostFactsScript(QUESTIONS)),
          encoding: 'utf8',
          stdio: ['pipe', 'pipe', 'ignore'],
        }),
      ),
    );
    expect(facts.kernel.name).toBe('Linux');
    expect(facts.hostname).toBe(hostname());
    expect(Math.abs(facts.memoryTotalKiB - totalmem() / 1024)).toBeLessThan(1);
    expect(facts.addresses).toContainEqual(
      expect.objectContaining({ card: 'lo', address: '127.0.0.1', prefixLength: 8 }),
    );
    expect(facts.disks.map(({ folder }) => folder)).toEqual(growingFolders('/var/lib/containerd'));
    for (const disk of facts.disks) expect(disk.totalKiB).toBeGreaterThan(disk.freeKiB);
  });

  it('know a certificate by the digest that openssl would tell', () => {
    // The DER form is what lies between the lines of a PEM file; a second certificate and text around it do not count.
    const der = Buffer.from('not really a certificate, but bytes of one');
    const pem = `text\n-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
    const script = `${CERTIFICATE_DIGEST}\ncertificate_digest <(base64 -d <<<${Buffer.from(pem).toString('base64')})`;
    const wanted = execFileSync('sha256sum', { input: der, encoding: 'utf8' }).split(' ')[0];
    expect(execFileSync('bash', { input: script, encoding: 'utf8' }).trim()).toBe(wanted);
  });

  it.each(['', 'text without a certificate\n'])('know no digest of a file that holds none: %j', (text) => {
    const script = `${CERTIFICATE_DIGEST}\ncertificate_digest <(printf %s ${JSON.stringify(text)}) || echo none`;
    expect(execFileSync('bash', { input: script, encoding: 'utf8' })).toBe('none\n');
  });

  it('are read from what the script prints', () => {
    expect(factsWith({ container: [['systemd-nspawn']], swap: [['/dev/dm-1', '20', '10']] })).toMatchObject({
      container: 'systemd-nspawn',
      swaps: [{ path: '/dev/dm-1', sizeKiB: 20, usedKiB: 10 }],
      os: { id: 'debian', versionId: '12' },
      cgroupVersion: 2,
      owner: undefined,
    });
    expect(factsWith().container).toBeUndefined();
  });
});
