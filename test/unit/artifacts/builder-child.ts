// A builder for cache.test.ts to kill: writes one file, says so, and then never finishes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureArtifact } from '../../../src/artifacts/cache/cache.js';

await ensureArtifact({ kind: 'things', version: '1.0.0', recipe: 'aaaaaaaaaaaa' }, async (directory) => {
  await writeFile(join(directory, 'half'), 'half of it');
  process.stdout.write('building\n');
  await new Promise(() => setInterval(() => {}, 1000));
});
