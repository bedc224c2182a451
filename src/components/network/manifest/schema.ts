import { z } from 'zod';
import { isAddress } from '../../../cluster/documents.js';
import { type Draft, INVALID, isMap, pick, type Sketch } from '../../../cluster/resolve/draft.js';
import { localPath, text, wrong } from '../../../cluster/schema/forms.js';
import { required, section } from '../../../cluster/schema/keys.js';
import type { PodNetworkSchema, Surroundings } from '../../schema-types.js';
import { checkManifests, namespacesOf } from './file-checks.js';
import type { ManifestNetworkSettings } from './settings.js';

const source = () => localPath('./network.yaml or https://example.org/network.yaml');
const digest = () => text('a SHA-256 of 64 hexadecimal digits', /^[0-9a-f]{64}$/);

const pinned = z.strictObject(
  {
    from: required(source(), 'File or https address.'),
    sha256: required(digest(), 'SHA-256 that its bytes have to have.'),
  },
  wrong('a map with from and sha256'),
);

type SectionDraft = Draft<{ manifests?: (string | { from: string; sha256: string })[] | null }> | typeof INVALID | null;

export const schema = {
  description: 'the manifests that "manifests" lists.',
  keys: {
    manifests: section(
      z.array(
        z.union([source(), pinned], wrong('a file, an https address, or a map with from and sha256')),
        wrong('a list of files and https addresses'),
      ),
      'Manifests of the pod network: files, relative to this file, or https addresses, each as it is or as { from, sha256 }. They are read at once, checked and travel with the plan; at most 1 MiB in all. They are applied server-side, and what is taken out is deleted again.',
    ),
  },
  resolve: (network: SectionDraft, { read, warn }: Surroundings) => ({
    manifests: (pick(network, 'manifests', []) ?? []).map((entry: unknown, index: number) => {
      const from =
        typeof entry === 'string' ? entry : isMap(entry) && typeof entry.from === 'string' ? entry.from : undefined;
      const expected = isMap(entry) && typeof entry.sha256 === 'string' ? entry.sha256 : undefined;
      if (from === undefined || entry === INVALID) return { from: undefined, sha256: undefined, content: undefined };
      const place = ['spec', 'network', 'manifests', index];
      if (isAddress(from) && expected === undefined) {
        warn(place, 'address-not-pinned', {
          message: 'what lies at this address may change, and the next install would apply that',
          expected: '{ from: https://…, sha256: … }',
        });
      }
      const found = read(from, place, expected);
      return { from, sha256: found?.sha256, content: found?.content };
    }),
  }),
  namespaces: ({ manifests }: Sketch<ManifestNetworkSettings>) => manifests.flatMap(namespacesOf),
  checks: [checkManifests],
} satisfies PodNetworkSchema;
