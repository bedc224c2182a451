import { z } from 'zod';
import { REGISTRY_DEFAULTS } from '../private-registry.js';
import { environmentName, localPath, text, wrong } from './forms.js';
import { nullable, optional, required, section } from './keys.js';

const HOST = '[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?';
const PATH = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*';

const address = () =>
  text(
    'a registry such as registry.example.org:5000/mirror, with http:// in front where it has no TLS, and no login in it',
    new RegExp(`^(?:https?://)?${HOST}(?:/${PATH})?/?$`),
  );

const upstream = () => text('the host of a registry such as registry.k8s.io', new RegExp(`^${HOST}$`));

/** `spec.packages.registry`. */
export const registry = z.strictObject(
  {
    address: required(address(), 'Host, port and path of the registry.'),
    paths: section(
      z.record(
        upstream(),
        text('a path such as google_containers, or "" for none', new RegExp(`^(?:${PATH})?$`)),
        wrong('a map such as { registry.k8s.io: google_containers }'),
      ),
      `What lies where below the address, by the host that images are published on; added to ${REGISTRY_DEFAULTS.upstreams.join(', ')}, each under its own name.`,
      {},
    ),
    caFile: nullable(
      localPath('./registry-ca.pem'),
      "Certificate authorities to trust for it besides the hosts' own, PEM; relative to this file, read at once. null: none.",
      REGISTRY_DEFAULTS.ca,
    ),
    loginEnv: nullable(
      environmentName(),
      "Name of the variable in the worker's environment that holds NAME:PASSWORD. null: it wants none.",
      REGISTRY_DEFAULTS.loginEnv,
    ),
    images: optional(
      z.enum(['missing', 'all'], wrong('missing or all')),
      'missing: hosts pull what the bundle lacks. all: also what it has, so that it does not travel from the worker.',
      REGISTRY_DEFAULTS.images,
    ),
  },
  wrong('a map with at least address'),
);
