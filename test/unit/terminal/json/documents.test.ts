import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../../src/client.js';
import { processShell } from '../../../../src/commands/support/shell.js';
import { jsonReference } from './markdown.js';
import { describeJson, type Field } from './model.js';
import { jsonSchema } from './schema.js';

const DOCS = join(import.meta.dirname, '../../../../docs');
const PAGE = join(DOCS, 'json.md');
const text = readFileSync(PAGE, 'utf8');
const described = describeJson();
const { common, objects, shapes } = described;

describe('the objects of --json', () => {
  it('are told apart by their type alone', () => {
    const types = objects.map(({ type }) => type);
    expect(types.length).toBeGreaterThan(20);
    expect(types).toEqual([...new Set(types)]);
    expect(types).not.toContain('');
  });

  it('say what they and their fields mean', () => {
    const silent = [
      ...objects.filter(({ meaning }) => meaning === '').map(({ type }) => type),
      ...silentFields('every object', common),
      ...objects.flatMap(({ type, fields }) => silentFields(type, fields)),
      ...[...shapes].flatMap(([name, { fields }]) => silentFields(name, fields)),
    ];
    expect(silent).toEqual([]);
  });

  it('name commands that there are', () => {
    const commands = createProgram(processShell()).commands.map((command) => command.name());
    for (const { type, printedBy } of objects) {
      expect(printedBy.length, type).toBeGreaterThan(0);
      const unknown = printedBy.filter((name) => name !== 'every command' && !commands.includes(name));
      expect(unknown, type).toEqual([]);
    }
  });
});

describe('docs/json.md', () => {
  it('has the reference of today (run vitest with -u to write it anew)', async () => {
    const between = /(<!-- reference:begin -->\n)[\s\S]*(<!-- reference:end -->)/;
    expect(text).toMatch(between);
    const reference = jsonReference(described);
    const fresh = text.replace(between, (_, begin: string, end: string) => `${begin}\n${reference}\n${end}`);
    await expect(fresh).toMatchFileSnapshot(PAGE);
  });

  it('has a schema of today (likewise)', async () => {
    const schema = `${JSON.stringify(jsonSchema(described), null, 2)}\n`;
    await expect(schema).toMatchFileSnapshot(join(DOCS, 'json.schema.json'));
  });

  it('shows a stream that the schema takes', () => {
    const validate = new Ajv2020({ allowUnionTypes: true }).compile(jsonSchema(described));
    const streams = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim().split('\n'));
    expect(streams.flat().length).toBeGreaterThan(5);
    for (const line of streams.flat()) {
      validate(JSON.parse(line));
      expect(validate.errors, line).toBeNull();
    }
  });
});

function silentFields(place: string, fields: Field[]): string[] {
  return fields.flatMap(({ name, meaning, model }) => {
    const inner = model.kind === 'list' ? model.of : model;
    const below = inner.kind === 'fields' ? silentFields(`${place}.${name}`, inner.fields) : [];
    return meaning === '' ? [`${place}.${name}`, ...below] : below;
  });
}
