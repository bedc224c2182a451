import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import { runCommand } from './run.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string) => readFile(join(root, file), 'utf8');

async function documents(): Promise<string[]> {
  const pages = (await readdir(join(root, 'docs'), { recursive: true })).map((file) => join('docs', file));
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pages].filter((file) => file.endsWith('.md'));
}

describe('the documents', () => {
  it('link to nothing that is not there', async () => {
    for (const file of await documents()) {
      const links = [...(await read(file)).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)];
      for (const [, link = ''] of links) {
        expect(existsSync(join(root, dirname(file), link)), `${file} links to ${link}`).toBe(true);
      }
    }
  });

  it('name proofs that exist', async () => {
    const page = await read('docs/README.md');
    const rows = page
      .split('\n')
      .filter(
        (line) =>
          line.startsWith('| ') && !line.includes('](') && !line.startsWith('| page') && !line.startsWith('| claim'),
      );
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const proof = row.split('|').at(-2)?.trim() ?? '';
      const files = [...proof.matchAll(/test\/[\w./-]+/g)].map(([file]) => file);
      if (files.length === 0) expect(proof, row).toMatch(/^not run here/);
      for (const file of files) expect(existsSync(join(root, file)), `${row} names ${file}`).toBe(true);
    }
  });

  it('show a cluster.yaml that is right', async () => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(await read('README.md')) ?? [];
    expect(parseCluster(yaml, { path: 'README.md', directory: root }).cluster.hosts).toHaveLength(4);
  });

  it('name every command, and none that there is not', async () => {
    const { stdout } = await runCommand(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) .* {2}\S/gm)].map(([, name = '']) => name);
    const table = (await read('README.md')).split('\n').filter((line) => line.startsWith('| `'));
    const named = table.flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`([a-z][a-z-]+)/g)].map(([, name = '']) => name),
    );
    expect(new Set(named)).toEqual(new Set(commands));
  });
});
