import { z } from 'zod';
import { type Draft, INVALID, pick } from '../../../cluster/resolve/draft.js';
import { wrong } from '../../../cluster/schema/forms.js';
import { nullable, required } from '../../../cluster/schema/keys.js';
import type { LoadBalancerSchema } from '../../schema-types.js';
import { imageReference } from '../pods/image.js';
import { vrrpSchema } from '../vrrp/schema.js';
import { type BalancerImages, DEFAULTS } from './settings.js';

const image = (what: string) => required(imageReference('registry.example.org/haproxy:3.2.4'), what);

type ImagesDraft = Draft<BalancerImages> | typeof INVALID | null | undefined;
type SectionDraft = Draft<{ images?: BalancerImages | null }> | typeof INVALID | null;

export const schema = {
  ...vrrpSchema,
  description:
    'HAProxy and keepalived as static pods on every control plane: they come up with the kubelet, and init waits for them.',
  keys: {
    images: nullable(
      z.strictObject(
        {
          haproxy: image('Image with `haproxy` on its PATH, such as the official one, docker.io/library/haproxy.'),
          keepalived: image('Image with `keepalived`, `sh` and `nc` on its PATH, as those on Alpine have them.'),
        },
        wrong('a map with haproxy and keepalived'),
      ),
      "Images that the hosts pull from their registries. null: the bundle's image, which holds Debian's HAProxy and keepalived.",
      DEFAULTS.images,
    ),
  },
  lacks: {
    notify: 'keepalived is in a container that has neither mail nor a program of yours',
  },
  onlyInBundle: ({ images }: { images?: unknown }) =>
    images === null ? { key: 'type', instead: 'images of your own in loadBalancer.images' } : undefined,
  resolve: (loadBalancer: SectionDraft) => ({ images: resolveImages(pick(loadBalancer, 'images', null)) }),
} satisfies LoadBalancerSchema;

function resolveImages(images: ImagesDraft): { haproxy: string | undefined; keepalived: string | undefined } | null {
  if (images === null || images === undefined || images === INVALID) return null;
  return { haproxy: pick(images, 'haproxy', undefined), keepalived: pick(images, 'keepalived', undefined) };
}
