import { execa } from 'execa';
import { KubewrightError } from '../../errors.js';

/**
 * Shared libraries that programs name, directly or through other libraries. Read from the files (`readelf`), not asked
 * from the loader (`ldd`): that works for another architecture, and does not find the machine's own libraries by chance.
 *
 * @param programs absolute paths of programs and plugins; those that are not ELF files need nothing
 * @param libraries name of a library (its soname) → absolute path
 * @returns the names under which libraries are asked for
 * @throws KW712 when a library is not among `libraries`
 */
export async function libraryClosure(programs: string[], libraries: Map<string, string>): Promise<Set<string>> {
  const needed = new Set<string>();
  let files = programs;
  while (files.length > 0) {
    const fresh = [...(await neededBy(files))].filter(([name]) => !needed.has(name));
    files = fresh.map(([name, user]) => {
      const path = libraries.get(name);
      needed.add(name);
      if (path) return path;
      throw new KubewrightError('KW712', `${user} needs ${name}, which none of the packages has.`, {
        hint: 'Debian changed how it splits a package: add the one that has this library to the list that the program is in (base.ts or check-tools.ts of from-modules, or load-balancer.ts).',
      });
    });
  }
  return needed;
}

/** Name of a library → one of the files that needs it. */
async function neededBy(files: string[]): Promise<Map<string, string>> {
  // One file more than there is: readelf names the file before each part only when it is given several.
  const { stdout } = await execa('readelf', ['--dynamic', '--wide', ...files, '/dev/null'], {
    reject: false,
    env: { LC_ALL: 'C' },
  });
  const names = new Map<string, string>();
  let current = '';
  for (const line of stdout.split('\n')) {
    const file = /^File: (.*)$/.exec(line)?.[1];
    const name = /\(NEEDED\)\s+Shared library: \[(.*)\]/.exec(line)?.[1];
    if (file) current = file;
    if (name) names.set(name, current);
  }
  return names;
}
