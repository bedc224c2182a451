import { z } from 'zod';
import { type Draft, type INVALID, inner, isMap, pick } from '../../../cluster/resolve/draft.js';
import { environmentName, localPath, text, wrong } from '../../../cluster/schema/forms.js';
import { nullable, optional, required, section } from '../../../cluster/schema/keys.js';
import type { ArtifactSchema, Surroundings } from '../../schema-types.js';
import { checkRepository } from './file-checks.js';
import { DEFAULTS } from './settings.js';

const HOST = '[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?';

const url = () =>
  text(
    'an address such as https://mirror.example.org/kubernetes/v{minor}/{format}/, without user and password',
    new RegExp(`^https?://${HOST}(?:/[A-Za-z0-9._~:{}+/-]{0,1024})?$`),
  );

const source = () => localPath('./kubernetes.asc or https://example.org/Release.key');

const pinned = z.strictObject(
  {
    from: required(source(), 'File or https address.'),
    sha256: required(
      text('a SHA-256 of 64 hexadecimal digits', /^[0-9a-f]{64}$/),
      'SHA-256 that its bytes have to have.',
    ),
  },
  wrong('a map with from and sha256'),
);

const repository = z.strictObject(
  {
    url: optional(
      url(),
      'Where the packages lie. {minor} stands for the minor of Kubernetes, such as 1.37, and {format} for deb or rpm.',
      DEFAULTS.url,
    ),
    key: required(
      z.union([source(), pinned], wrong('a file, or a map with from and sha256')),
      'OpenPGP key that signs the repository, in ASCII armour: a file, relative to this one, or { from, sha256 } for an https address. It is read at once and travels with the plan.',
    ),
    caFile: nullable(
      localPath('./repository-ca.pem'),
      "Certificate authorities to trust for it instead of the hosts' own, PEM; relative to this file, read at once. null: the hosts' own.",
      DEFAULTS.ca,
    ),
    loginEnv: nullable(
      environmentName(),
      "Name of the variable in the worker's environment that holds NAME:PASSWORD. null: it wants none.",
      DEFAULTS.loginEnv,
    ),
  },
  wrong('a map with at least key'),
);

type Key = string | { from: string; sha256: string };
type SectionDraft =
  | Draft<{ repository?: { url?: string; key: Key; caFile?: string | null; loginEnv?: string | null } | null }>
  | typeof INVALID
  | null;

export const schema = {
  description: 'packages of pkgs.k8s.io or a mirror, packages of the distribution, and images from their registries.',
  programSource: 'distribution',
  keys: {
    repository: section(
      repository,
      'With source repository: where the packages of Kubernetes come from, and who signs them.',
    ),
  },
  resolve(packages: SectionDraft, around: Surroundings) {
    const written = inner(packages, 'repository');
    const caFile = pick(written, 'caFile', DEFAULTS.ca);
    const place = ['spec', 'packages', 'repository', 'caFile'];
    return {
      repository: {
        url: pick(written, 'url', DEFAULTS.url),
        key: readKey(pick(written, 'key', undefined), around),
        ca: typeof caFile === 'string' ? around.read(caFile, place, undefined)?.content : caFile,
        loginEnv: pick(written, 'loginEnv', DEFAULTS.loginEnv),
      },
    };
  },
  checks: [checkRepository],
} satisfies ArtifactSchema;

function readKey(key: unknown, { read }: Pick<Surroundings, 'read'>): string | undefined {
  const from = typeof key === 'string' ? key : isMap(key) && typeof key.from === 'string' ? key.from : undefined;
  if (from === undefined) return undefined;
  const expected = isMap(key) && typeof key.sha256 === 'string' ? key.sha256 : undefined;
  return read(from, ['spec', 'packages', 'repository', 'key'], expected)?.content;
}
