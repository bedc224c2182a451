import { Command } from 'commander';
import { action } from './support/action.js';
import { EXIT, type Shell } from './support/shell.js';

/** `kubewright schema`: the JSON Schema of cluster.yaml, for editors. */
export function schemaCommand(shell: Shell): Command {
  return new Command('schema')
    .summary('print the JSON Schema of cluster.yaml, for editors')
    .description(
      'Prints the JSON Schema of cluster.yaml. Save it beside the file and name it in the first line:\n' +
        '# yaml-language-server: $schema=./cluster.schema.json',
    )
    .action(
      action(shell, async ({ output }) => {
        const { clusterJsonSchema } = await import('../cluster/schema/json-schema.js');
        output.line(JSON.stringify(clusterJsonSchema(), null, 2));
        return EXIT.ok;
      }),
    );
}
