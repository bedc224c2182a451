import type { ChoiceSchema } from '../../schema-types.js';

export const schema = {
  description: 'nothing is applied; nodes are not Ready before you have brought a network.',
  keys: {},
  resolve: () => ({}),
} satisfies ChoiceSchema;
