import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliverEncryptionKey } from '../../../../src/activities/encryption-at-rest/deliverEncryptionKey.js';
import { encryptionProblems } from '../../../../src/activities/encryption-at-rest/problems.js';
import {
  addEncryptionKey,
  promoteEncryptionKey,
  removeEncryptionKey,
} from '../../../../src/activities/key-rotation/keyStep.js';
import { replaceKeyFile } from '../../../../src/activities/key-rotation/on-host.js';
import { rewriteSecrets } from '../../../../src/activities/key-rotation/rewriteSecrets.js';
import { ENCRYPTION_PATH } from '../../../../src/cluster/security/paths.js';
import { redact } from '../../../../src/hosts/redact.js';
import { CONTROL_PLANES, LivingCluster, STEPS } from './living.js';

let living: LivingCluster;
beforeEach(async () => {
  living = await LivingCluster.start();
});
afterEach(() => living.hosts.remove());

const preflight = () => living.preflight();
const rotate = (steps = STEPS) => living.rotate(steps);

describe('a rotation', () => {
  it('ends with the new key alone, on all control planes the same, and at no moment somebody cannot read', async () => {
    const former = living.text('cp-1');
    const { from, to } = await preflight();
    expect(living.keysOn('cp-1')).toEqual([from]);
    expect(await rotate()).not.toContain('unchanged');
    expect(living.keysInEtcd()).toEqual([to]);
    expect(living.keysOn('cp-1')).toEqual([to]);
    expect(new Set(CONTROL_PLANES.map((name) => living.text(name))).size).toBe(1);
    const [secret, old] = [living.text('cp-1'), former].map((text) => /secret: (\S+)/.exec(text)?.[1] ?? '');
    expect(Buffer.from(secret ?? '', 'base64')).toHaveLength(32);
    expect(secret).not.toBe(old);
    // Like the former one but for the key: what install writes.
    expect(living.text('cp-1')).toBe(former.replace(from, to).replace(old ?? '', secret ?? ''));
    expect(statSync(join(living.hosts.root, 'cp-2', ENCRYPTION_PATH)).mode & 0o777).toBe(0o600);
    expect(living.hosts.shared('unexpected')).toBe('');
    expect(redact(`oops: ${secret}`)).not.toContain(secret);
  });

  it('leaves install nothing to change, and can be done again', async () => {
    await preflight();
    await rotate();
    expect(await encryptionProblems(living.context(null))).toEqual([]);
    for (const name of CONTROL_PLANES)
      expect(await living.carryOut(deliverEncryptionKey, name)).toMatchObject({ outcome: 'unchanged' });
    living.target = { from: living.keysOn('cp-1')[0] ?? '', to: 'key-third' };
    await rotate();
    expect(living.keysOn('cp-3')).toEqual(['key-third']);
    expect(living.keysInEtcd()).toEqual(['key-third']);
  });

  it.each(STEPS.map((_, at) => at + 1))(
    'that was given up behind step %i is gone on with by the next run',
    async (count) => {
      const { from, to } = await preflight();
      await rotate(STEPS.slice(0, count));
      living.target = undefined;
      if (count < STEPS.length) expect(await preflight()).toEqual({ from, to });
      else living.target = { from, to };
      const outcomes = await rotate();
      expect(outcomes.slice(0, count)).not.toContain('changed');
      expect(living.keysOn('cp-2')).toEqual([to]);
      expect(living.keysInEtcd()).toEqual([to]);
    },
  );

  it('makes one key, however many attempts there are: one that comes late finds another file, and changes nothing', async () => {
    await preflight();
    const late = living.text('cp-1');
    await living.carryOut(addEncryptionKey, 'cp-1');
    const made = living.text('cp-1');
    const digest = '0'.repeat(64);
    await expect(replaceKeyFile(living.context('cp-1'), digest, late)).rejects.toMatchObject({
      code: 'KW496',
      transient: true,
    });
    expect(living.text('cp-1')).toBe(made);
  });

  it('shows no key and no Secret in what a step says, and none in the argument lists of programs', async () => {
    await preflight();
    const said: string[] = [];
    for (const [step, host] of STEPS) said.push((await living.carryOut(step, host)).summary);
    const secrets = [...living.text('cp-1').matchAll(/secret: (\S+)/g)].map(([, secret]) => secret ?? '');
    for (const secret of [...secrets, 'top-secret'])
      expect([...said, living.hosts.shared('asked')].join('\n')).not.toContain(secret);
  });
});

describe('a stage', () => {
  it('has not ended while an API server works with the file that was there before', async () => {
    await preflight();
    living.set('stuck-cp-1');
    const waiting = new AbortController();
    const line = await new Promise<string>((resolve) => {
      const context = living.context('cp-1', waiting.signal, resolve);
      addEncryptionKey.apply(context, { done: false, found: '', changes: [] }).catch(() => {});
    });
    waiting.abort();
    expect(line).toContain('the API server of cp-1');
    await living.hosts.idle();
    expect(living.keysOn('cp-1')).toHaveLength(2);
    expect(await addEncryptionKey.probe(living.context('cp-1'))).toMatchObject({ done: false });
    rmSync(join(living.hosts.root, 'stuck-cp-1'));
    expect(await addEncryptionKey.probe(living.context('cp-1'))).toMatchObject({ done: true });
  });

  it('that is the first one begins on the first control plane: another one waits for its key', async () => {
    await preflight();
    await expect(living.carryOut(addEncryptionKey, 'cp-2')).rejects.toMatchObject({ code: 'KW388' });
    expect(living.keysOn('cp-2')).toHaveLength(1);
  });

  it('makes no key while another control plane has a file that may hold it already', async () => {
    await preflight();
    living.hosts.write('cp-3', ENCRYPTION_PATH, 'kind: Secret\n');
    await expect(living.carryOut(addEncryptionKey, 'cp-1')).rejects.toMatchObject({ code: 'KW388', host: 'cp-3' });
    expect(living.keysOn('cp-1')).toHaveLength(1);
  });

  it('brings the file back to a control plane that lost it on the way', async () => {
    const { to } = await preflight();
    await rotate(STEPS.slice(0, 3));
    rmSync(join(living.hosts.root, 'cp-1', ENCRYPTION_PATH));
    await living.carryOut(promoteEncryptionKey, 'cp-1');
    expect(living.keysOn('cp-1')[0]).toBe(to);
  });

  it('takes no old key away that somebody still needs, nor where etcd does not say', async () => {
    const { from } = await preflight();
    await rotate(STEPS.slice(0, 7));
    living.put('default%late', from);
    await expect(living.carryOut(removeEncryptionKey, 'cp-2')).rejects.toMatchObject({ code: 'KW498' });
    rmSync(join(living.hosts.root, 'etcd', 'default%late'));
    living.set('etcd-down');
    await expect(living.carryOut(removeEncryptionKey, 'cp-2')).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
    });
    expect(living.keysOn('cp-2')).toHaveLength(2);
  });
});

describe('writing all Secrets anew', () => {
  beforeEach(async () => {
    await preflight();
    await rotate(STEPS.slice(0, 6));
  });

  it('writes each one once, more than one page of them, and those alone that need it', async () => {
    const { from, to } = living.target ?? { from: '', to: '' };
    for (let at = 0; at < 520; at += 1) living.put(`many%secret-${String(at).padStart(3, '0')}`, from);
    living.put('default%done', to);
    expect(await living.carryOut(rewriteSecrets, null)).toMatchObject({
      outcome: 'changed',
      summary: `all 524 objects in etcd are encrypted with ${to}`,
    });
    const patched = living.hosts.shared('patched').trim().split('\n');
    expect(patched).toHaveLength(523);
    expect(new Set(patched).size).toBe(523);
    expect(patched).not.toContain('default%done');
    expect(living.keysInEtcd()).toEqual([to]);
  });

  it('takes conflicts and Secrets that are gone for what they are', async () => {
    living.set('conflict-default%a');
    living.set('gone-default%b');
    expect(await living.carryOut(rewriteSecrets, null)).toMatchObject({ outcome: 'changed' });
    expect(living.keysInEtcd()).toEqual([living.target?.to]);
  });

  it('goes on where etcd and then the API server are away for a moment', async () => {
    living.set('etcd-blinks');
    living.set('away');
    await rewriteSecrets.apply(living.context(null), { done: false, found: '', changes: [] });
    expect(living.keysInEtcd()).toEqual([living.target?.to]);
  });

  it('fails with the names and the kind of refusal where the API server refuses one, and with nothing that is in it', async () => {
    living.set('refused-default%b');
    const error = await living.carryOut(rewriteSecrets, null).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'KW431',
      output: expect.stringMatching(
        /Error from server \(Forbidden\)[\s\S]*webhook "x"[\s\S]*\/registry\/secrets\/default\/b/,
      ),
    });
    expect((error as { output: string }).output).not.toContain('top-secret');
    expect(living.keysInEtcd()).toHaveLength(2);
  });
});
