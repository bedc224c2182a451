import { Command } from 'commander';
import { plural } from '../terminal/text.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright server start|stop|status`: the embedded Temporal server, when it shall outlive a command. */
export function serverCommand(shell: Shell): Command {
  const command = new Command('server')
    .summary('start, stop or show the embedded Temporal server')
    .description(
      'The embedded Temporal server: install starts and stops it by itself. Start it here to keep its UI open.',
    );
  command
    .command('start')
    .description('start it, or find it running, and leave it running')
    .action(action(shell, start));
  command
    .command('stop')
    .description('stop it and the background worker; installs wait where they stand')
    .action(action(shell, stop));
  command.command('status').description('show its address and who uses it').action(action(shell, show));
  return command;
}

async function start(context: CommandContext): Promise<ExitCode> {
  const { openEngine } = await import('./support/engine.js');
  const { output } = context;
  const engine = await openEngine(context);
  try {
    await engine.server?.detach();
    tell(context, engine.settings.address, engine.server?.uiUrl, engine.server !== undefined);
    if (engine.server === undefined) output.note('This server is not ours: nothing was started.');
    return EXIT.ok;
  } finally {
    await engine.close();
  }
}

async function stop({ output, ...context }: CommandContext): Promise<ExitCode> {
  const { stopServer, stopWorkers } = await import('../engine/index.js');
  const { connectOptions } = await import('./support/engine.js');
  const { stateDir = '' } = await connectOptions({ output, ...context });
  let workers = 0;
  const drain = async () => {
    workers = await stopWorkers(stateDir, (record) => record.embedded);
  };
  const stopped = await stopServer(stateDir, { drain });
  if (output.json) {
    output.object({ type: 'server', running: false, stopped, workers });
    return EXIT.ok;
  }
  if (workers > 0) output.line(`${plural(workers, 'background worker')} drained and stopped.`);
  output.line(stopped ? 'The embedded server has stopped.' : 'No embedded server was running.');
  return EXIT.ok;
}

async function show(context: CommandContext): Promise<ExitCode> {
  const { serverStatus } = await import('../engine/index.js');
  const { connectOptions } = await import('./support/engine.js');
  const { stateDir = '' } = await connectOptions(context);
  const record = await serverStatus(stateDir);
  if (record === undefined) {
    if (context.output.json) context.output.object({ type: 'server', running: false });
    else context.output.line('No embedded server runs. `kubewright server start` starts one.');
    return EXIT.ok;
  }
  const ui = record.uiPort === null ? undefined : `http://127.0.0.1:${record.uiPort}`;
  tell(context, `127.0.0.1:${record.port}`, ui, true);
  return EXIT.ok;
}

function tell({ output }: CommandContext, address: string, ui: string | undefined, running: boolean): void {
  if (output.json) {
    output.object({ type: 'server', running, address, ui });
    return;
  }
  output.line(`Temporal  ${address}`);
  output.line(`UI        ${ui ?? 'none'}`);
}
