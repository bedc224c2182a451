import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { deliverEncryptionKey } from '../../../../src/activities/encryption-at-rest/deliverEncryptionKey.js';
import { encryptionProblems } from '../../../../src/activities/encryption-at-rest/problems.js';
import { ENCRYPTION_PATH } from '../../../../src/cluster/security/paths.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { redact } from '../../../../src/hosts/redact.js';
import { MANIFESTS_DIRECTORY } from '../../../../src/render/kubeadm-paths.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

const cluster: Cluster = {
  ...clusterOf({ controlPlanes: 3, workers: 1 }),
  security: { secretsEncryption: 'secretbox' },
};
const MANIFEST = `${MANIFESTS_DIRECTORY}/kube-apiserver.yaml`;

let hosts: BashHosts;
beforeEach(() => {
  hosts = new BashHosts(cluster);
});
afterEach(() => hosts.remove());

const context = (host: string | null = 'cp-1') =>
  hosts.context('deliverEncryptionKey', host, new AbortController().signal);
const deliver = (host: string) => deliverEncryptionKey.apply(context(host), { done: false, found: '', changes: [] });
const keyOn = (host: string) => hosts.read(host, ENCRYPTION_PATH);

/** An API server that encrypts: a cluster lives there. */
const alive = (...names: string[]) => {
  for (const name of names) hosts.write(name, MANIFEST, '    - --encryption-provider-config=/x\n');
};
const give = (content: string, ...names: string[]) => {
  for (const name of names) hosts.write(name, ENCRYPTION_PATH, content);
};
const A_KEY = '    providers:\n      - secretbox:\n          keys: a key\n';

interface Configuration {
  kind: string;
  resources: { resources: string[]; providers: { secretbox: { keys: { name: string; secret: string }[] } }[] }[];
}

describe('the key of encryption at rest', () => {
  it('is made on the first control plane, root alone can read it, and every other one gets the same', async () => {
    await deliver('cp-1');
    const text = keyOn('cp-1') ?? '';
    const { kind, resources } = parse(text) as Configuration;
    expect(kind).toBe('EncryptionConfiguration');
    expect(resources[0]?.resources).toEqual(['secrets']);
    // One provider alone: what somebody puts into etcd unencrypted is not believed.
    expect(resources[0]?.providers).toHaveLength(1);
    const secret = resources[0]?.providers[0]?.secretbox.keys[0]?.secret ?? '';
    expect(Buffer.from(secret, 'base64')).toHaveLength(32);
    expect(statSync(join(hosts.root, 'cp-1', ENCRYPTION_PATH)).mode & 0o777).toBe(0o600);
    expect(statSync(join(hosts.root, 'cp-1', ENCRYPTION_PATH, '..')).mode & 0o777).toBe(0o700);
    expect(await deliverEncryptionKey.probe(context('cp-1'))).toMatchObject({ done: true });

    await deliver('cp-2');
    await deliver('cp-3');
    expect([keyOn('cp-2'), keyOn('cp-3')]).toEqual([text, text]);
    // This process held it on its way, and shows it nowhere.
    expect(redact(`oops: ${secret}`)).not.toContain(secret);
  });

  it('is another one for each cluster, and stays when the step runs again', async () => {
    await deliver('cp-1');
    const first = keyOn('cp-1');
    await deliver('cp-1');
    expect(keyOn('cp-1')).toBe(first);
    const others = new BashHosts(cluster);
    const other = others.context('deliverEncryptionKey', 'cp-1', new AbortController().signal);
    await deliverEncryptionKey.apply(other, { done: false, found: '', changes: [] });
    expect(others.read('cp-1', ENCRYPTION_PATH)).not.toBe(first);
    others.remove();
  });

  it('is made by the first control plane alone', async () => {
    await expect(deliver('cp-2')).rejects.toMatchObject({ code: 'KW490', transient: true });
    expect(keyOn('cp-2')).toBeUndefined();
  });

  it('comes back to a first control plane that was replaced, from one that lives', async () => {
    alive('cp-2', 'cp-3');
    give(A_KEY, 'cp-2', 'cp-3');
    expect(await encryptionProblems(context(null))).toEqual([]);
    await deliver('cp-1');
    expect(keyOn('cp-1')).toBe(A_KEY);
  });

  it('is not made while a host does not answer that may have it', async () => {
    hosts.away.add('cp-3');
    await expect(deliver('cp-1')).rejects.toMatchObject({ code: 'KW490', transient: true });
    expect(keyOn('cp-1')).toBeUndefined();
  });

  it('is not made anew where a cluster lives: that it is lost is told before the first change', async () => {
    alive('cp-1', 'cp-2', 'cp-3');
    expect(await encryptionProblems(context(null))).toMatchObject([
      { code: 'KW382', hosts: ['cp-1', 'cp-2', 'cp-3'], what: expect.stringContaining(ENCRYPTION_PATH) },
    ]);
    await expect(deliver('cp-1')).rejects.toMatchObject({ code: 'KW382' });
    expect(keyOn('cp-1')).toBeUndefined();
  });

  it('is not called lost while a host does not answer', async () => {
    alive('cp-1', 'cp-2');
    hosts.away.add('cp-3');
    expect(await encryptionProblems(context(null))).toEqual([]);
  });

  it('is one for all: two different ones are told, and none is replaced', async () => {
    alive('cp-1', 'cp-2');
    give(A_KEY, 'cp-1');
    give(`${A_KEY}# another\n`, 'cp-2');
    expect(await encryptionProblems(context(null))).toMatchObject([{ code: 'KW383', hosts: ['cp-1', 'cp-2'] }]);
    await expect(deliver('cp-3')).rejects.toMatchObject({ code: 'KW383' });
    expect(keyOn('cp-3')).toBeUndefined();
  });

  it('of another provider than the file asks for stays, and that is told', async () => {
    alive('cp-1');
    give('    providers:\n      - aescbc:\n          keys: a key\n      - identity: {}\n', 'cp-1');
    const [problem] = await encryptionProblems(context(null));
    expect(problem).toMatchObject({ code: 'KW384', what: expect.stringContaining('aescbc') });
  });

  it('that others could read is closed', async () => {
    await deliver('cp-1');
    chmodSync(join(hosts.root, 'cp-1', ENCRYPTION_PATH), 0o644);
    expect(await deliverEncryptionKey.probe(context())).toMatchObject({
      done: false,
      found: 'others may read the key',
    });
    await deliver('cp-1');
    expect(await deliverEncryptionKey.probe(context())).toMatchObject({ done: true });
  });

  it('is asked for by no cluster that does not encrypt', async () => {
    const plain = { ...cluster, security: {} };
    const asked = hosts.context('checkCluster', null, new AbortController().signal, () => {}, {
      input: { cluster: plain },
    });
    alive('cp-1');
    expect(await encryptionProblems(asked)).toEqual([]);
    expect(hosts.trips).toBe(0);
  });
});
