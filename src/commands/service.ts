import { Command } from 'commander';
import type { ServiceRequest } from '../engine/service/plan.js';
import type { ServiceSystem } from '../engine/service/system.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface InstallOptions {
  user?: string;
  dryRun?: boolean;
}

/** `kubewright server install-service|uninstall-service|run`: server and worker as one service of the system. */
export function serviceCommands(shell: Shell): Command[] {
  return [
    new Command('install-service')
      .description(
        'make the embedded server and a worker a systemd service, so that scheduled checks run without a terminal and after a ' +
          'restart of the machine; again, it brings the service up to date',
      )
      .option('--user <name>', 'account that it runs as, whose SSH keys it uses (default: yours, behind sudo too)')
      .option('--dry-run', 'print the unit, and change nothing')
      .action(action<InstallOptions>(shell, install)),
    new Command('uninstall-service')
      .description('stop and remove that service; clusters, schedules and histories stay')
      .action(action(shell, uninstall)),
    new Command('run')
      .description(
        'run the embedded server and a worker for all its clusters in the foreground: what the service starts',
      )
      .action(action(shell, run)),
  ];
}

async function install(context: CommandContext<InstallOptions>): Promise<ExitCode> {
  const { planService } = await import('../engine/service/plan.js');
  const { thisSystem } = await import('../engine/service/system.js');
  const { output, options } = context;
  const system = thisSystem();
  const plan = await planService(system, await requestOf(context, system));
  const { user, stateDir } = plan.unit;
  if (options.dryRun) {
    if (output.json) output.object({ type: 'service', change: 'none', user, stateDir, text: plan.text });
    else output.line(plan.text.trimEnd());
    return EXIT.ok;
  }
  const { installService } = await import('../engine/service/install.js');
  const { ENVIRONMENT_PATH, UNIT_NAME, UNIT_PATH } = await import('../service/places.js');
  output.note(`${UNIT_NAME} starts, and is waited for: a first start may fetch Temporal.`);
  const change = await installService(system, plan);
  if (output.json) {
    output.object({ type: 'service', change, unit: UNIT_PATH, user, stateDir, environment: ENVIRONMENT_PATH });
    return EXIT.ok;
  }
  output.line(`${UNIT_NAME} ${WORDS[change]} and runs as ${user}; it starts with the machine.`);
  output.line(`unit         ${UNIT_PATH}`);
  output.line(`data         ${stateDir}`);
  output.line(`environment  ${ENVIRONMENT_PATH}`);
  output.note(
    `What cluster.yaml names by variable (sudo passwords and other secrets) the service finds in ${ENVIRONMENT_PATH} alone: ` +
      'put it there, then `systemctl restart kubewright`.',
  );
  return EXIT.ok;
}

const WORDS = { installed: 'is set up', changed: 'has its new unit', unchanged: 'is as it was' };

async function requestOf(
  { options, shell, output }: CommandContext<InstallOptions>,
  { node, program }: ServiceSystem,
): Promise<ServiceRequest> {
  const { connectOptions } = await import('./support/engine.js');
  const settings = await connectOptions({ options, shell, output });
  return {
    user: options.user,
    stateDir: options.stateDir,
    env: shell.env,
    settings,
    node,
    program,
  };
}

async function uninstall({ output }: CommandContext): Promise<ExitCode> {
  const { uninstallService } = await import('../engine/service/install.js');
  const { thisSystem } = await import('../engine/service/system.js');
  const { UNIT_NAME, UNIT_PATH } = await import('../service/places.js');
  const { removed, stateDir, environment } = await uninstallService(thisSystem());
  if (output.json) {
    output.object({ type: 'service', change: removed ? 'removed' : 'none', unit: UNIT_PATH, stateDir, environment });
    return EXIT.ok;
  }
  output.line(removed ? `${UNIT_NAME} has stopped and is removed.` : `There is no ${UNIT_NAME}.`);
  if (stateDir !== undefined) {
    output.line(`Clusters, schedules and histories stay in ${stateDir}; \`kubewright server start\` brings them back.`);
  }
  if (environment !== undefined) output.line(`${environment} stays, for somebody has written into it.`);
  return EXIT.ok;
}

async function run(context: CommandContext): Promise<ExitCode> {
  const { connectOptions } = await import('./support/engine.js');
  const { requireEmbedded } = await import('../engine/service/plan.js');
  const { output } = context;
  const options = await connectOptions(context);
  requireEmbedded(options);
  const { installRuntime } = await import('../worker.js');
  const { runService } = await import('../engine/service/run.js');
  const { keepTelling } = await import('../engine/service/notify.js');
  const { describeSettings } = await import('../engine/settings.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const { env } = context.shell;
  installRuntime(env);
  const { signal, dispose } = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    await runService({
      env,
      stateDir: options.stateDir ?? '',
      embedded: options.embedded,
      signal,
      onServer: (settings) => output.note(describeSettings(settings)),
      onReady: () => {
        output.note('Server and worker are ready; SIGTERM or Ctrl-C ends them in order.');
        keepTelling(env, signal);
      },
    });
    return EXIT.ok;
  } catch (error) {
    // Told to end before it was ready: that is no fault of it.
    if (signal.aborted && error === signal.reason) return EXIT.ok;
    throw error;
  } finally {
    dispose();
  }
}
