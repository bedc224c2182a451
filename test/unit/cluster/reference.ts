import { CHANGE_WORDS, KEY_CHANGES } from '../../../src/cluster/changes.js';
import type { JsonSchema } from '../../../src/cluster/schema/json-schema.js';

interface Key {
  /** Such as `spec.hosts[].ssh.port`. */
  path: string;
  schema: JsonSchema;
  isRequired: boolean;
}

/** Every key of the file, in the order of the schema. Keys of free maps (labels, flags) have no names, and are not listed. */
export function keysOf(schema: JsonSchema, prefix = ''): Key[] {
  if (schema.items !== undefined) return keysOf(schema.items, `${prefix}[]`);
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [{ path, schema: inner, isRequired: schema.required?.includes(name) ?? false }, ...keysOf(inner, path)];
  });
}

/** The reference's tables, one a section of `spec`, as Markdown. */
export function referenceTables(schema: JsonSchema): string {
  const keys = keysOf(schema);
  const sections = Object.keys(schema.properties?.spec?.properties ?? {});
  const parts = [
    table(
      'The file',
      keys.filter(({ path }) => !path.startsWith('spec.') && path !== 'spec'),
    ),
    ...sections.map((section) => {
      const own = keys.filter(
        ({ path }) => path.startsWith(`spec.${section}`) && /[.[]/.test(path.charAt(5 + section.length)),
      );
      const description = keys.find(({ path }) => path === `spec.${section}`)?.schema.description ?? '';
      return own.length === 0
        ? table(
            `spec.${section}`,
            keys.filter(({ path }) => path === `spec.${section}`),
          )
        : table(`spec.${section}`, own, description);
    }),
  ];
  return parts.join('\n');
}

function table(title: string, keys: Key[], description = ''): string {
  const rows = keys.map(({ path, schema, isRequired }) => {
    const fallback = isRequired ? '**required**' : showDefault(schema);
    return `| \`${path.replace(/^spec\./, '')}\` | ${fallback} | ${laterOf(path)} | ${cell(schema.description ?? '')} |`;
  });
  const intro = description === '' ? [] : [description, ''];
  return [
    `### ${title}`,
    '',
    ...intro,
    '| key | default | later | what it is |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** What becomes of an edit once the cluster is there. */
function laterOf(path: string): string {
  return CHANGE_WORDS[KEY_CHANGES[path]?.change ?? 'section'];
}

function showDefault(schema: JsonSchema): string {
  if (!('default' in schema)) return '';
  return `\`${typeof schema.default === 'string' && schema.default !== '' ? schema.default : JSON.stringify(schema.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
