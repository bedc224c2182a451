import { preflightError } from '../prepare/checks/problem.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { FILE_MODE, type FilesLook, lookAtFiles } from './look.js';
import { problemsOfFiles } from './problems.js';

/**
 * Puts the files that flags refer to on a control plane, before its static pods are made. Contents of secrets come out of the
 * worker's environment and go to the host on standard input: they are in no plan, no argument list and no output. A file that
 * is gone comes back; one that a living control plane has with another content stays as it is, for its pods would not read it.
 */
export const deliverFiles: StepImplementation = {
  async probe(context) {
    return probeOf(context, await lookAtFiles(context));
  },

  /** @throws KubewrightError KW380 and KW381, see `problemsOfFiles` */
  async apply(context) {
    const look = await lookAtFiles(context);
    const problems = problemsOfFiles(look);
    if (problems.length > 0) throw preflightError(problems, context.host.name);
    for (const { file, wanted, state } of look.files) {
      if (state === 'right' || wanted === undefined) continue;
      await context.host.writeFile(file.path, wanted, { mode: FILE_MODE });
    }
  },
};

function probeOf({ host }: StepContext, look: FilesLook): Probe {
  const problems = problemsOfFiles(look);
  const changes = look.files.filter(({ state }) => state !== 'right').map(({ file }) => `write ${file.path}`);
  const done = changes.length === 0;
  return {
    done,
    found: done
      ? `${look.files.length} files are there`
      : `${changes.length} of ${look.files.length} files are to be written`,
    changes,
    ...(problems.length > 0 ? { problem: preflightError(problems, host.name) } : {}),
  };
}
