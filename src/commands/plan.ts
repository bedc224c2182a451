import { Command } from 'commander';
import { action, type CommandContext } from './support/action.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright plan FILE`: looks at every host and says what an install would do there. Changes nothing, needs no Temporal. */
export function planCommand(shell: Shell): Command {
  return new Command('plan')
    .summary('show what install would do on each host, and what is already true')
    .description(
      'Looks at each host over SSH and prints, step by step, what install would do there and what is already true. ' +
        'It changes nothing and needs no Temporal server. Exit code 1 when something is in the way.',
    )
    .argument(...FILE_ARGUMENT)
    .action(action<unknown, [string]>(shell, plan));
}

async function plan({ output, shell }: CommandContext, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster({ output, shell }, file);
  const { lookAtCluster } = await import('../on-hosts.js');
  const { findingEvent, planLines, summarize } = await import('../terminal/plan.js');
  const { comparisonEvents } = await import('../terminal/comparison.js');
  const findings = await lookAtCluster(cluster, { env: shell.env });
  const summary = summarize(findings);
  if (output.json) {
    for (const finding of findings) output.object(findingEvent(finding));
    for (const event of comparisonEvents(findings)) output.object(event);
    output.object({ type: 'summary', cluster: cluster.name, ...summary });
  } else {
    for (const line of planLines(cluster, findings, output.theme, output.columns)) output.line(line);
  }
  return summary.problems > 0 ? EXIT.failed : EXIT.ok;
}
