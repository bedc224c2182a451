import { describe, expect, it } from 'vitest';
import { differences } from '../../../src/cluster/differences.js';
import { parseCluster } from '../../../src/cluster/load.js';
import { lineOf } from '../../../src/cluster/places.js';
import { prepareInstall } from '../../../src/prepare-run.js';
import { BASE } from './helpers.js';

const load = (text: string) => parseCluster(text, { path: 'cluster.yaml', directory: '/' });
const TEXT = `${BASE}  kubernetes:
    version: 1.34.3
    kubelet:
      config:
        maxPods: 200
        evictionHard: { memory.available: 100Mi }
    apiServer: { extraArgs: { v: 2 } }
  ssh: { user: root }
`;
const lines = TEXT.split('\n');
const lineWith = (text: string) => lines.findIndex((line) => line.includes(text)) + 1;

describe('where keys stand in the file', () => {
  const { places } = load(TEXT);

  it.each([
    ['spec.kubernetes.version', 'version: 1.34.3'],
    ['spec.kubernetes.kubelet.config.maxPods', 'maxPods'],
    ['spec.kubernetes.kubelet.config.evictionHard["memory.available"]', 'evictionHard'],
    // Taken out of the file: the map that it was in.
    ['spec.kubernetes.kubelet.config.podPidsLimit', 'config:'],
    ['spec.kubernetes.apiServer.extraArgs.v', 'apiServer'],
    ['spec.endpoint.vip', 'vip'],
    ['spec.hosts[w-1]', 'w-1'],
    ['metadata.name', 'name: demo'],
  ])('%s', (key, text) => expect(lineOf(places, key)).toBe(lineWith(text)));

  it('is nowhere for a key that is not written', () => {
    expect(lineOf(places, 'spec.kubernetes.podSubnet')).toBeUndefined();
    expect(lineOf(undefined, 'spec.kubernetes.version')).toBeUndefined();
  });

  it('travels only for keys that a living cluster is compared with', () => {
    expect(Object.keys(places).filter((key) => key.includes('ssh'))).toEqual([]);
  });
});

describe('a comment in the file', () => {
  it('changes neither the plan nor what differs, while messages have the new lines', () => {
    const before = load(TEXT);
    const after = load(`# a comment\n${TEXT}`);
    const prepared = [before, after].map(({ cluster, places }) => prepareInstall({ ...cluster, places }));
    expect(prepared[0]?.planHash).toBe(prepared[1]?.planHash);
    expect(prepared[0]?.planHash).toBe(prepareInstall(before.cluster).planHash);
    expect(prepared[1]?.cluster.places).toEqual(after.places);
    expect(after.places).not.toEqual(before.places);
    expect(
      differences({ ...before.cluster, places: before.places }, { ...after.cluster, places: after.places }),
    ).toEqual([]);
  });
});
