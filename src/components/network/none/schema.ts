import type { PodNetworkSchema } from '../../schema-types.js';

export const schema = {
  description: 'nothing is applied; nodes are not Ready before you have brought a network.',
  keys: {},
  resolve: () => ({}),
  namespaces: () => [],
} satisfies PodNetworkSchema;
