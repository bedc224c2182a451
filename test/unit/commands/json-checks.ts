import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  const?: unknown;
  $comment?: string;
}

const { oneOf, $defs } = JSON.parse(
  readFileSync(new URL('../../../docs/json.schema.json', import.meta.url), 'utf8'),
  // Readers shall skip fields that they do not know; a test must not: what is printed is documented.
  (_, value: Schema) =>
    value?.type === 'object' && value.additionalProperties === undefined
      ? { ...value, additionalProperties: false }
      : value,
) as { oneOf: Schema[]; $defs: Record<string, Schema> };

const ajv = new Ajv2020({ allowUnionTypes: true });
const validators = new Map<string, ValidateFunction>();

/** Every object is one that docs/json.md has, with its fields and no other, and of the command that it is told to be of. */
export function expectDocumented(argv: string[], objects: Record<string, unknown>[]): void {
  for (const object of objects) {
    const type = String(object.type);
    const schema = oneOf.find(({ properties }) => properties?.type?.const === type);
    expect(schema, `docs/json.md has an object ${type}`).toBeDefined();
    const validate = validators.get(type) ?? ajv.compile({ ...schema, $defs });
    validators.set(type, validate);
    validate(object);
    expect(validate.errors, `docs/json.md describes ${JSON.stringify(object)}`).toBeNull();
    const printedBy = schema?.$comment?.replace('printed by ', '').split(', ') ?? [];
    const told = printedBy.some((name) => name === 'every command' || argv.includes(name));
    expect(told, `docs/json.md says that ${argv.join(' ')} prints ${type}`).toBe(true);
  }
}
