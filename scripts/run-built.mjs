// What `npm run bench`, `npm run bench:faults` and `npm run test:chaos` have in common: everything set up, then a program of the build.
import { join } from 'node:path';
import { ensureEverything } from './artifacts.mjs';
import {
  installAndBuild,
  missingForAnything,
  missingForLab,
  ROOT,
  run,
  SetupError,
  sentenceOf,
  useGoFromItsDirectory,
} from './setup.mjs';

/** Runs `dist/PROGRAM` with these arguments, on a machine that has all it needs; `command` names it to the user. */
export async function runBuilt(command, program, args = []) {
  const missing = new Set([...missingForAnything(), ...missingForLab()]);
  if (missing.size > 0) throw new SetupError(`${command} needs ${sentenceOf([...missing])}.`);
  useGoFromItsDirectory();
  await installAndBuild();
  if (!args.includes('--help') && !args.includes('-h')) await ensureEverything();
  await run(process.execPath, [join(ROOT, 'dist', program), ...args]);
}
