import { parse } from 'yaml';
import { MANIFESTS_DIRECTORY } from '../../../render/kubeadm-paths.js';
import type { Facts } from '../../remote-facts.js';

export const CONTROL_PLANE_COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/**
 * Seconds for the command lines of all processes. Each is read out of its process's memory, and one that hangs in the kernel
 * while its memory changes makes whoever reads it hang with it.
 */
const READ_SECONDS = 5;

/** Stands between two command lines: no argument is empty. */
const NEXT = '\n\n';

/**
 * Facts about static pods: their manifests, and the command lines of the processes that run. A process with the
 * manifest's command is the proof that the pod runs, at once and without asking the kubelet, the runtime or the API.
 *
 * All processes of that name are told: other pods run etcds and API servers too (of databases, of virtual clusters). `command_lines`
 * succeeds unless it did not come to its end.
 *
 * @param end what stands behind each question: ` &` where they run beside others
 */
export function staticPodFacts(components: readonly string[], end: '' | ' &' = ''): string {
  const facts = components.map(
    (name) =>
      `fact manifest:${name} cat ${MANIFESTS_DIRECTORY}/${name}.yaml${end}\nfact process:${name} command_lines ${name}${end}`,
  );
  return `command_lines() {
  timeout ${READ_SECONDS} bash -c 'for file in /proc/[0-9]*/cmdline; do
    program=
    { IFS= read -r -d "" program <"$file"; } 2>/dev/null
    [ "\${program##*/}" = "$1" ] || continue
    tr "\\0" "\\n" <"$file" && echo
  done
  exit 0' - "$1"
}
${facts.join('\n')}
`;
}

/** What keeps a static pod from counting as running with its manifest, or undefined. */
export function staticPodFault(facts: Facts, component: string): string | undefined {
  const command = commandOf(facts.text(`manifest:${component}`));
  if (command === undefined) return `${component} has no manifest`;
  const question = `process:${component}`;
  if (facts.isAsked(question) && facts.answer(question, '').is === 'unknown')
    return `it cannot be told whether ${component} runs`;
  const running = facts.text(question);
  if (running === '') return `${component} does not run`;
  const own = running.split(NEXT).some((line) => line.trim() === command.join('\n'));
  return own ? undefined : `${component} runs with other arguments than its manifest's`;
}

function commandOf(manifest: string): string[] | undefined {
  try {
    const pod = parse(manifest) as { spec?: { containers?: { command?: string[]; args?: string[] }[] } } | null;
    const container = pod?.spec?.containers?.[0];
    return container?.command === undefined ? undefined : [...container.command, ...(container.args ?? [])];
  } catch {
    // Cut short while it was written: as good as none.
    return undefined;
  }
}
