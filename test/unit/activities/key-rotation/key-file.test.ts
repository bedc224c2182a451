import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  hasCome,
  type KeyFile,
  NEW_KEY,
  parseKeyFile,
  withFirstKey,
  withoutOldKey,
  withSecondKey,
} from '../../../../src/activities/key-rotation/key-file.js';
import { chooseTarget } from '../../../../src/activities/key-rotation/target.js';

const SECRET = 'c2VjcmV0IG9mIHRoZSBvbGQga2V5IG9mIDMyIGJ5dGU=';
/** As install writes it. */
const MADE = `# Written by Kubewright. Without this key nobody reads the Secrets that are in etcd: back it up.
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox:
          keys:
            - name: key-old
              secret: ${SECRET}
`;
const ROTATION = { from: 'key-old', to: 'key-new' };

function read(text: string): KeyFile {
  const answer = parseKeyFile(text);
  if (answer.is !== 'yes') throw new Error(answer.is === 'unknown' ? answer.why : answer.evidence);
  return answer.value;
}

/** Name and secret of each key, in their order. */
function keysIn(text: string): [string, string][] {
  const [group] = parse(text).resources;
  return group.providers[0].secretbox.keys.map(({ name, secret }: { name: string; secret: string }) => [name, secret]);
}

describe('the file with the key', () => {
  it('is read as install has written it', () => {
    expect(read(MADE)).toMatchObject({ provider: 'secretbox', resources: ['secrets'], keys: ['key-old'] });
    expect(read(MADE).rotation).toBeUndefined();
  });

  it('gets a second key, has it in front, and then alone, and is again what install writes', () => {
    const second = withSecondKey(read(MADE), ROTATION);
    expect(keysIn(second)).toEqual([
      ['key-old', SECRET],
      ['key-new', NEW_KEY],
    ]);
    const made = second.replace(NEW_KEY, 'bmV3');
    expect(read(made).rotation).toEqual(ROTATION);
    const first = withFirstKey(read(made), ROTATION);
    expect(keysIn(first)).toEqual([
      ['key-new', 'bmV3'],
      ['key-old', SECRET],
    ]);
    // What is there already is put there again by an attempt that was interrupted.
    expect(withFirstKey(read(first), ROTATION)).toBe(first);
    const only = withoutOldKey(read(first), ROTATION);
    expect(only).toBe(MADE.replace('key-old', 'key-new').replace(SECRET, 'bmV3'));
    const stages = [MADE, made, first, only].map((text) =>
      (['second', 'first', 'only'] as const).map((stage) => hasCome(read(text), ROTATION, stage)),
    );
    expect(stages).toEqual([
      [false, false, false],
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });

  it('of several resources, with identity behind and comments of a person keeps all of that', () => {
    const text = MADE.replace('[secrets]', '[secrets, configmaps]').concat('      - identity: {} # until march\n');
    const second = withSecondKey(read(text), ROTATION);
    expect(second).toContain('# until march');
    expect(second).toContain('[secrets, configmaps]');
    expect(keysIn(second)).toHaveLength(2);
  });

  it.each([
    ['no YAML', 'resources: [', /can be read/],
    ['another kind', MADE.replace('EncryptionConfiguration', 'Secret'), /can be read/],
    [
      'several groups',
      MADE.replace('resources:\n', 'resources:\n  - { resources: [events], providers: [] }\n'),
      /several/,
    ],
    ['a wildcard', MADE.replace('[secrets]', "['*.*']"), /encrypts \*\.\*/],
    ['a provider of a KMS', MADE.replace('secretbox:', 'kms:'), /providers are kms/],
    ['identity in front', MADE.replace('providers:\n', 'providers:\n      - identity: {}\n'), /identity, secretbox/],
    ['two keys of a person', `${MADE}            - name: key-2\n              secret: eA==\n`, /has 2 keys/],
    ['a name that a shell would read', MADE.replace('key-old', "a'b"), /names of another form/],
  ])('is left alone with %s, and its key is in no message', (_, text, why) => {
    const answer = parseKeyFile(text);
    expect(answer).toMatchObject({ is: 'unknown', why: expect.stringMatching(why) });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
  });
});

describe('which key takes the place of which', () => {
  const now = new Date('2026-11-27T09:05:04Z');
  const old = read(MADE);
  const second = read(withSecondKey(old, ROTATION).replace(NEW_KEY, 'bmV3'));
  const first = read(withFirstKey(second, ROTATION));
  const only = read(withoutOldKey(first, ROTATION));
  const choose = (...files: KeyFile[]) =>
    chooseTarget(
      files.map((file, at) => ({ host: `cp-${at + 1}`, file })),
      now,
    );

  it('is chosen anew where all have one and the same', () => {
    expect(choose(old, old)).toEqual({ target: { from: 'key-old', to: 'key-20261127-090504' } });
    expect(choose(only, only)).toEqual({ target: { from: 'key-new', to: 'key-20261127-090504' } });
  });

  it.each([
    ['at its begin', [second, old, old]],
    ['between two stages', [second, second, second]],
    ['in the middle', [first, second, second]],
    ['at its end', [only, first, only]],
  ])('is what an interrupted rotation has begun with, %s', (_, files) => {
    expect(choose(...files)).toEqual({ target: ROTATION });
  });

  it('is for a person to say where the files are at odds otherwise', () => {
    const strange = read(MADE.replace('key-old', 'key-strange'));
    for (const files of [
      [old, only],
      [old, read(`${MADE}# edited\n`)],
      [second, strange],
    ])
      expect(choose(...files)).toMatchObject({ problem: { code: 'KW383', hosts: ['cp-1', 'cp-2'] } });
  });
});
