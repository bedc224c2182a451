import { deliversFiles } from '../../cluster/deliveries.js';
import { listed, type Problem } from '../prepare/checks/problem.js';
import { hostOf } from '../prepare/target.js';
import type { StepContext } from '../types.js';
import { type FilesLook, lookAtFiles } from './look.js';

/** What stands in the way of the files of one host, before anything is changed anywhere. */
export async function fileProblems(context: StepContext): Promise<Problem[]> {
  if (hostOf(context).role !== 'control-plane' || !deliversFiles(context.cluster)) return [];
  return problemsOfFiles(await lookAtFiles(context));
}

/** The same of what was seen; pure. */
export function problemsOfFiles(look: FilesLook): Problem[] {
  return [...unsetVariables(look), ...changedContents(look)];
}

function unsetVariables({ files }: FilesLook): Problem[] {
  const unset = files.flatMap(({ file, wanted }) => (wanted === undefined && 'env' in file ? [file] : []));
  if (unset.length === 0) return [];
  const names = unset.map(({ path, env }) => `${env} (for ${path})`);
  return [
    {
      code: 'KW380',
      what: `the worker's environment does not have ${listed(names)}`,
      hint: 'Set it where the worker runs, then start the worker anew (a worker that a command brings takes it from your terminal).',
    },
  ];
}

/** The static pods have read the old ones, and most of them read a file only when they start. */
function changedContents({ files, member }: FilesLook): Problem[] {
  if (member.is === 'no') return [];
  const changed = files.filter(({ state }) => state === 'other-content').map(({ file }) => file.path);
  if (changed.length === 0) return [];
  return [
    {
      code: 'KW381',
      what: `it is a control plane that lives with another content of ${listed(changed)}`,
      hint: "Install does not change it under a running API server. Put the new file there by hand (mode 0600, root), restart that host's static pods that read it (move the manifest out of /etc/kubernetes/manifests and back), one control plane after the other; or restore the former content in cluster.yaml.",
    },
  ];
}
