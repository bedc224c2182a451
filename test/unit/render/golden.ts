import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/**
 * Compares rendered text with `test/unit/render/golden/<name>.golden`. `UPDATE_GOLDEN=1 npx vitest run --project unit
 * test/unit/render` writes the files anew; look at the difference before committing it.
 */
export function expectGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`golden/${name}.golden`, import.meta.url));
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, text);
  expect(existsSync(path), `${path} is missing`).toBe(true);
  expect(text).toBe(readFileSync(path, 'utf8'));
}
