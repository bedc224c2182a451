import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string) => readFile(join(root, file), 'utf8');

/** `- [test/x.ts](../test/x.ts):` and the names of tests in quotation marks behind it, up to the next one. */
const PROOF = /^- \[(test\/[^\]]+)\]\(\.\.\/(test\/[^)]+)\)(:\n(?: {2}.*\n)+)?/gm;

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

describe('docs/reliability.md', () => {
  it('tells its ways to fail, in their order, each with its issues, an answer and a proof', async () => {
    const [, ...rows] = (await read('docs/reliability.md')).split(/^## /m);
    expect(rows.map((row) => Number.parseInt(row, 10))).toEqual(
      Array.from({ length: rows.length }, (_, index) => index + 1),
    );
    expect(rows.length).toBeGreaterThanOrEqual(36);
    for (const row of rows) {
      expect(row).toMatch(/\*\*Elsewhere\*\* \([^)]*#\d+[^)]*\): /);
      expect(row).toContain('**Here:** ');
      expect([...row.matchAll(PROOF)], row).not.toHaveLength(0);
    }
  });

  it('lists every one of them once, by kind, at its top', async () => {
    const [top = '', ...rows] = (await read('docs/reliability.md')).split(/^## /m);
    const headings = rows.map((row) => row.slice(0, row.indexOf('\n')));
    const listed = [...top.matchAll(/^ {2}- \[(.+)\]\(#(.+)\)$/gm)].map(([, title = '', anchor = '']) => ({
      title,
      anchor,
    }));
    listed.sort((a, b) => Number.parseInt(a.title, 10) - Number.parseInt(b.title, 10));
    expect(listed).toEqual(
      headings.map((heading) => ({ title: heading.replaceAll('`', ''), anchor: anchorOf(heading) })),
    );
  });

  it('names tests that are in the files that it names', async () => {
    for (const [, shown = '', file = '', names = ''] of (await read('docs/reliability.md')).matchAll(PROOF)) {
      expect(shown).toBe(file);
      const source = (await read(file)).replaceAll("\\'", "'");
      for (const [, name = ''] of names.replace(/\s+/g, ' ').matchAll(/"([^"]+)"/g)) {
        expect(source.includes(name), `${file}: ${name}`).toBe(true);
      }
    }
  });
});
