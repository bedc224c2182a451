// Writes dist/build.json: which commit was built. Run by `npm run build`, and by whoever finds that nothing has to be built.
import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup.mjs';

/**
 * The commit of the clone at `root`, nine digits of it, with `.dirty` behind it where something is not committed. Without git,
 * and outside of a clone of this project, what the variable KUBEWRIGHT_COMMIT says; else undefined.
 */
export function commitOf(root, env = process.env) {
  const git = (...args) =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    // A copy without .git may lie in somebody else's repository, whose commits say nothing.
    if (realpathSync(git('rev-parse', '--show-toplevel')) === realpathSync(root)) {
      const commit = git('rev-parse', '--short=9', 'HEAD');
      return git('status', '--porcelain') === '' ? commit : `${commit}.dirty`;
    }
  } catch {
    // No git, no clone, or one that belongs to somebody else.
  }
  return /^[0-9a-f]{7,40}(\.dirty)?$/.test(env.KUBEWRIGHT_COMMIT ?? '') ? env.KUBEWRIGHT_COMMIT : undefined;
}

/** Writes it for `root`, or takes away what an earlier build wrote where there is no commit to name. */
export function writeBuild(root, env = process.env) {
  const file = join(root, 'dist', 'build.json');
  const commit = commitOf(root, env);
  if (commit === undefined) return rmSync(file, { force: true });
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ commit })}\n`);
}

if (process.argv[1] === import.meta.filename) writeBuild(ROOT);
