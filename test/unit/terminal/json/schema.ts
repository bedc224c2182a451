import type { Described, Field, Model } from './model.js';

type Schema = Record<string, unknown>;

/** docs/json.schema.json: the schema of one line. Fields that are added later are no error. */
export function jsonSchema({ common, objects, shapes }: Described): Schema {
  const defs = [...shapes].map(([name, { meaning, fields }]) => [name, described(objectOf(fields), meaning)]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'One line that kubewright --json prints',
    type: 'object',
    oneOf: objects.map(({ type, meaning, printedBy, fields }) => {
      const tag: Field = { name: 'type', isOptional: false, meaning: '', model: { kind: 'constant', value: type } };
      const schema = objectOf([tag, ...common, ...fields]);
      return { ...described(schema, meaning), $comment: `printed by ${printedBy.join(', ')}` };
    }),
    $defs: Object.fromEntries(defs),
  };
}

function objectOf(fields: Field[]): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(
      fields.map(({ name, meaning, model }) => [name, described(schemaOf(model), meaning)]),
    ),
    required: fields.filter(({ isOptional }) => !isOptional).map(({ name }) => name),
  };
}

function described(schema: Schema, description: string): Schema {
  return description === '' ? schema : { ...schema, description };
}

function schemaOf(model: Model): Schema {
  switch (model.kind) {
    case 'primitive':
      return { type: model.name };
    case 'constant':
      return { const: model.value };
    case 'list':
      return { type: 'array', items: schemaOf(model.of) };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(model.of) };
    case 'union':
      return { anyOf: model.of.map(schemaOf) };
    case 'shape':
      return { $ref: `#/$defs/${model.name}` };
    case 'fields':
      return objectOf(model.fields);
  }
}
