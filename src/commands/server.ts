import { Command } from 'commander';
import type { ServerObject } from '../terminal/json/background.js';
import { plural } from '../terminal/text.js';
import { serviceCommands } from './service.js';
import { action, type CommandContext } from './support/action.js';
import { addGlobalOptions } from './support/global-options.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright server start|stop|status|…-service|run`: the embedded Temporal server, when it shall outlive a command. */
export function serverCommand(shell: Shell): Command {
  const command = new Command('server')
    .summary('start, stop or show the embedded Temporal server; make it a service')
    .description(
      'The embedded Temporal server: install starts and stops it by itself. Start it here to keep its UI open, or make it a ' +
        'service for scheduled health checks.',
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
  for (const each of serviceCommands(shell)) command.addCommand(addGlobalOptions(each));
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
  const { requireNoService } = await import('../engine/service/record.js');
  const { connectOptions } = await import('./support/engine.js');
  const { stateDir = '' } = await connectOptions({ output, ...context });
  await requireNoService(stateDir);
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
  const { serviceRecord } = await import('../engine/service/record.js');
  const service = await serviceRecord(stateDir);
  const record = await serverStatus(stateDir);
  if (record === undefined) {
    if (context.output.json) context.output.object({ type: 'server', running: false });
    else context.output.line('No embedded server runs. `kubewright server start` starts one.');
    return EXIT.ok;
  }
  const ui = record.uiPort === null ? undefined : `http://127.0.0.1:${record.uiPort}`;
  const servedBy = service && { pid: service.pid, build: service.build };
  tell(context, `127.0.0.1:${record.port}`, ui, true, servedBy);
  return EXIT.ok;
}

function tell(
  { output }: CommandContext,
  address: string,
  ui: string | undefined,
  running: boolean,
  service?: ServerObject['service'],
): void {
  if (output.json) {
    output.object({ type: 'server', running, address, ui, ...(service && { service }) });
    return;
  }
  output.line(`Temporal  ${address}`);
  output.line(`UI        ${ui ?? 'none'}`);
  if (service) output.line(`service   pid ${service.pid}, version ${service.build}, with a worker for all clusters`);
}
