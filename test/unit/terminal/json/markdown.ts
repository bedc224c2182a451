import type { Described, Field, Model } from './model.js';

/** The reference of docs/json.md: the objects by their names, then the shapes that they hold. */
export function jsonReference({ common, objects, shapes }: Described): string {
  const byName = [...objects].sort((a, b) => a.type.localeCompare(b.type));
  const parts = [
    '### In every object',
    '',
    ...table([
      { name: 'type', isOptional: false, meaning: 'What the object is: see below.', model: STRING },
      ...common,
    ]),
    '### Objects',
    '',
    '| type | printed by |',
    '|---|---|',
    ...byName.map(({ type, printedBy }) => `| [\`${type}\`](#${type}) | ${commands(printedBy)} |`),
    '',
  ];
  for (const { type, meaning, printedBy, fields } of byName) {
    parts.push(`#### ${type}`, '', meaning, '', `Printed by ${commands(printedBy)}.`, '', ...table(fields));
  }
  parts.push('### Shapes', '');
  for (const [name, { meaning, fields }] of [...shapes].sort(([a], [b]) => a.localeCompare(b))) {
    parts.push(`#### ${name}`, '', ...(meaning === '' ? [] : [meaning, '']), ...table(fields));
  }
  return parts.join('\n');
}

const STRING: Model = { kind: 'primitive', name: 'string' };

function commands(printedBy: string[]): string {
  return printedBy.map((name) => (name === 'every command' ? name : `\`${name}\``)).join(', ');
}

function table(fields: Field[]): string[] {
  if (fields.length === 0) return [];
  const rows = flat(fields).map(({ name, isOptional, meaning, model }) => {
    const optional = isOptional ? 'optional' : '';
    return `| \`${name}\` | ${words(model)} | ${optional} | ${meaning.replaceAll('|', '\\|')} |`;
  });
  return ['| field | type | | meaning |', '|---|---|---|---|', ...rows, ''];
}

/** Fields of nameless objects stand below the field that holds them: `login.durationMs`, `steps[].id`. */
function flat(fields: Field[], prefix = ''): Field[] {
  return fields.flatMap((field) => {
    const name = `${prefix}${field.name}`;
    const { model } = field;
    const inner = model.kind === 'list' ? model.of : model;
    const below = inner.kind === 'fields' ? flat(inner.fields, `${name}${model.kind === 'list' ? '[]' : ''}.`) : [];
    return [{ ...field, name }, ...below];
  });
}

function words(model: Model): string {
  switch (model.kind) {
    case 'primitive':
      return model.name;
    case 'constant':
      return `\`${JSON.stringify(model.value)}\``;
    case 'list':
      return `list of ${words(model.of)}`;
    case 'map':
      return `object of ${words(model.of)}`;
    case 'union':
      return model.of
        .map(words)
        .join(', ')
        .replace(/, ([^,]+)$/, ' or $1');
    case 'shape':
      return `[${model.name}](#${model.name.toLowerCase()})`;
    case 'fields':
      return 'object';
  }
}
