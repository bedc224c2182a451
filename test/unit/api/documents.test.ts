import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readDeclarations } from './declarations.js';
import { anchorOf, apiReference, meaningOf } from './markdown.js';
import { notExported } from './mentions.js';

const PAGE = join(ROOT, 'docs/api.md');
const declarations = readDeclarations();
const { checker, exported } = declarations;

describe('the package', () => {
  it('exports everything that a public signature mentions, inferred types included', () => {
    expect(exported.size).toBeGreaterThan(60);
    expect(notExported(declarations)).toEqual([]);
  });
});

describe('docs/api.md', () => {
  it('has the reference of today (`npm run docs` writes it anew)', async () => {
    const between = /(<!-- reference:begin -->\n)[\s\S]*(<!-- reference:end -->)/;
    const text = readFileSync(PAGE, 'utf8');
    expect(text).toMatch(between);
    const reference = apiReference(declarations);
    const fresh = text.replace(between, (_, begin: string, end: string) => `${begin}\n${reference}\n\n${end}`);
    await expect(fresh).toMatchFileSnapshot(PAGE);
  });

  it('has an entry of its own behind each link', () => {
    const text = readFileSync(PAGE, 'utf8');
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(headings).toEqual([...new Set(headings)]);
    expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });

  it('says of everything what it is', () => {
    const silent = [...exported].filter(([, symbol]) => meaningOf(symbol, checker) === '').map(([name]) => name);
    expect(silent).toEqual([]);
  });
});
