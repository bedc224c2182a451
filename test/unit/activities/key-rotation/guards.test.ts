import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encryptionProblems } from '../../../../src/activities/encryption-at-rest/problems.js';
import { checkKeyRotation } from '../../../../src/activities/key-rotation/checkKeyRotation.js';
import {
  addEncryptionKey,
  promoteEncryptionKey,
  removeEncryptionKey,
} from '../../../../src/activities/key-rotation/keyStep.js';
import { ENCRYPTION_PATH } from '../../../../src/cluster/security/paths.js';
import { MANIFESTS_DIRECTORY } from '../../../../src/render/kubeadm-paths.js';
import { CONTROL_PLANES, LivingCluster, STEPS } from './living.js';

let living: LivingCluster;
beforeEach(async () => {
  living = await LivingCluster.start();
});
afterEach(() => living.hosts.remove());

const preflight = () => living.preflight();
const rotate = (steps = STEPS) => living.rotate(steps);
const refusal = () => living.carryOut(checkKeyRotation, null).then(String, (error: unknown) => error);

describe('a step that begins long after the one before', () => {
  const formerOf = () => {
    const former = living.text('cp-3');
    return () => living.hosts.write('cp-3', ENCRYPTION_PATH, former);
  };

  it('lets nobody write with a key that a control plane cannot read, for that was put back to an older state', async () => {
    const putBack = formerOf();
    await preflight();
    await rotate(STEPS.slice(0, 3));
    putBack();
    const refused = { code: 'KW428', transient: true, host: 'cp-1', message: expect.stringContaining('cp-3') };
    await expect(living.carryOut(promoteEncryptionKey, 'cp-1')).rejects.toMatchObject(refused);
    expect(living.unreadable()).toEqual([]);
    // Its own step brings the file back; then the others go on.
    await rotate([[promoteEncryptionKey, 'cp-3'], ...STEPS.slice(3)]);
    expect(living.keysOn('cp-3')).toEqual([living.target?.to]);
  });

  it('takes the old key from nobody while a control plane writes with it, although etcd has nothing of it', async () => {
    await preflight();
    await rotate(STEPS.slice(0, 3));
    const second = living.text('cp-3');
    await rotate(STEPS.slice(3, 7));
    living.hosts.write('cp-3', ENCRYPTION_PATH, second);
    await expect(living.carryOut(removeEncryptionKey, 'cp-1')).rejects.toMatchObject({ code: 'KW428' });
    living.hosts.away.add('cp-2');
    await expect(living.carryOut(removeEncryptionKey, 'cp-1')).rejects.toMatchObject({ transient: true });
    expect(living.keysOn('cp-1')).toHaveLength(2);
  });

  it('does not touch what another rotation has come to meanwhile', async () => {
    const { from } = await preflight();
    await rotate();
    living.target = { from, to: 'key-late' };
    for (const name of ['cp-1', 'cp-2'])
      await expect(living.carryOut(addEncryptionKey, name)).rejects.toMatchObject({ code: 'KW388', transient: false });
    expect(living.keysOn('cp-1')).toHaveLength(1);
    expect(living.keysOn('cp-1')).not.toContain('key-late');
  });

  it('leaves no copy of a key behind, of an attempt that the power went from either', async () => {
    await preflight();
    const directory = dirname(ENCRYPTION_PATH);
    living.hosts.write('cp-1', `${directory}/.kubewright.Ab3dEf9h`, living.text('cp-1'));
    await rotate();
    expect(readdirSync(join(living.hosts.root, 'cp-1', directory))).toEqual([basename(ENCRYPTION_PATH)]);
  });
});

describe('the preflight of a rotation', () => {
  it('names every control plane that is not ready', async () => {
    living.set('down-cp-2');
    living.hosts.away.add('cp-3');
    const error = await refusal();
    expect(error).toMatchObject({ code: 'KW300' });
    expect(String(error)).toMatch(/KW387[\s\S]*cp-2[\s\S]*KW387[\s\S]*cp-3/);
  });

  it.each([
    [
      'an API server that does not read the file again',
      'KW389',
      () => flagOff('cp-2', '-automatic-reload=true', '-automatic-reload=false'),
    ],
    ['an API server that works with another file', 'KW389', () => living.set('stuck-cp-3')],
    ['a file that cannot be understood', 'KW388', () => living.hosts.write('cp-1', ENCRYPTION_PATH, 'kind: Secret\n')],
    [
      'a control plane that the file does not have',
      'KW390',
      () => living.hosts.write('.', 'nodes', 'cp-1 cp-2 cp-3 cp-4'),
    ],
    ['an etcd that does not answer', 'KW391', () => living.set('etcd-down')],
    ['different files', 'KW383', () => living.hosts.write('cp-2', ENCRYPTION_PATH, `${living.text('cp-2')}# edited\n`)],
  ])('refuses %s', async (what, code, spoil) => {
    if (what.includes('another file')) living.hosts.write('.', 'loaded-cp-3', 'an old one');
    spoil();
    expect(await refusal()).toMatchObject({ code });
  });

  it('goes on with a rotation whose file an API server has not read yet: the steps wait for that', async () => {
    const { from, to } = await preflight();
    const former = living.text('cp-1');
    await rotate(STEPS.slice(0, 1));
    living.hosts.write('.', 'loaded-cp-1', former);
    living.set('stuck-cp-1');
    expect(await preflight()).toEqual({ from, to });
  });

  it('tells install of a rotation that is not at its end, and lets it go on where all have both keys', async () => {
    await preflight();
    await rotate(STEPS.slice(0, 1));
    expect(await encryptionProblems(living.context(null))).toMatchObject([{ code: 'KW385', hosts: CONTROL_PLANES }]);
    await rotate(STEPS.slice(1, 3));
    expect(await encryptionProblems(living.context(null))).toEqual([]);
  });
});

function flagOff(host: string, from: string, to: string): void {
  const path = `${MANIFESTS_DIRECTORY}/kube-apiserver.yaml`;
  living.hosts.write(host, path, living.hosts.read(host, path)?.replace(from, to));
}
