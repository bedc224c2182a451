import { Command, CommanderError } from 'commander';
import { BUILD } from './build.js';
import { abortCommand } from './commands/abort.js';
import { completionCommand } from './commands/completion.js';
import { dashboardCommand } from './commands/dashboard.js';
import { retryCommand, skipCommand } from './commands/decide.js';
import { drillCommand } from './commands/drill.js';
import { healthCommand } from './commands/health.js';
import { initCommand } from './commands/init.js';
import { installCommand } from './commands/install.js';
import { kubeconfigCommand } from './commands/kubeconfig.js';
import { planCommand } from './commands/plan.js';
import { resetCommand } from './commands/reset.js';
import { rotateEncryptionKeyCommand } from './commands/rotate-encryption-key.js';
import { schemaCommand } from './commands/schema.js';
import { serverCommand } from './commands/server.js';
import { sshCheckCommand } from './commands/ssh-check.js';
import { statusCommand } from './commands/status.js';
import { createOutput } from './commands/support/action.js';
import { addFileOption } from './commands/support/file-argument.js';
import { flushed } from './commands/support/flushed.js';
import { addGlobalOptions, type GlobalOptions } from './commands/support/global-options.js';
import { lazyGroup, loadLazily } from './commands/support/lazy.js';
import { EXIT, type ExitCode, processShell, type Shell } from './commands/support/shell.js';
import { unlockCommand } from './commands/unlock.js';
import { validateCommand } from './commands/validate.js';
import { watchCommand } from './commands/watch.js';
import { workerCommand } from './commands/worker.js';
import { isKubewrightError, KubewrightError } from './errors.js';

/** The command line as a tree of commands. Light: whatever a command needs is imported when it runs. */
export function createProgram(shell: Shell): Command {
  const program = new Command('kubewright')
    .description('Turns bare Linux hosts into a highly available Kubernetes cluster, and cannot lose its place.')
    .version(BUILD)
    .enablePositionalOptions()
    .helpCommand(false);
  addGlobalOptions(program);
  const add = (create: (shell: Shell) => Command) => program.addCommand(addGlobalOptions(addFileOption(create(shell))));
  program.commandsGroup('Install:');
  [
    installCommand,
    planCommand,
    statusCommand,
    watchCommand,
    dashboardCommand,
    healthCommand,
    kubeconfigCommand,
  ].forEach(add);
  program.commandsGroup('Decide on a blocked step:');
  [retryCommand, skipCommand, abortCommand, unlockCommand].forEach(add);
  program.commandsGroup('Change a living cluster:');
  [rotateEncryptionKeyCommand, drillCommand, resetCommand].forEach(add);
  program.commandsGroup('cluster.yaml:');
  [initCommand, validateCommand, sshCheckCommand, schemaCommand].forEach(add);
  program.commandsGroup('Run and rehearse:');
  [workerCommand, serverCommand, completionCommand].forEach(add);
  program.addCommand(
    lazyGroup('lab', 'rehearse on lab hosts on this machine', async () =>
      (await import('../lab/command.js')).labCommand(),
    ),
  );
  program.addCommand(
    lazyGroup('bundle', 'make the binaries and images of a Kubernetes version', async () =>
      (await import('./commands/bundle.js')).bundleCommand(shell),
    ),
  );
  program.addHelpText('after', HELP_AFTER);
  program.hook('preSubcommand', async (_, command) => {
    await loadLazily(command);
    settle(command, shell);
  });
  settle(program, shell);
  return program;
}

const HELP_AFTER = `
Begin with:
  kubewright init
  kubewright validate cluster.yaml
  kubewright plan cluster.yaml
  kubewright install cluster.yaml`;

/** Commander's errors are thrown, not exits, and its words go where the shell says: in commands of commands, too. */
function settle(command: Command, shell: Shell): void {
  command.exitOverride().showHelpAfterError('(kubewright --help shows all commands and options)');
  command.configureOutput({
    writeOut: (text) => shell.stdout.write(text),
    writeErr: (text) => shell.stderr.write(text),
    getOutHelpWidth: () => shell.stdout.columns ?? 100,
    getErrHelpWidth: () => shell.stderr.columns ?? 100,
  });
  for (const child of command.commands) settle(child, shell);
}

/**
 * Runs one command line and returns its exit code. Errors are printed, never thrown.
 *
 * @param argv arguments without `node` and the script's name
 */
export async function main(argv: string[], shell: Shell = processShell()): Promise<ExitCode> {
  const program = createProgram(shell);
  try {
    await program.parseAsync(withHelpOption(argv), { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    // Ctrl-C while something was got ready that can only be given up: whoever pressed it knows why it ended.
    if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted;
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const options = outputOptions(argv);
    // Commander has told a wrong command line in its own words; a program gets them as an object.
    if (error instanceof CommanderError && !options.json) return EXIT.input;
    const output = await createOutput(shell, options);
    const told = error instanceof CommanderError ? usageError(error) : error;
    output.error(told);
    output.end(exitCodeOf(told));
    return exitCodeOf(told);
  }
}

function usageError(error: CommanderError): KubewrightError {
  return new KubewrightError('KW102', error.message.replace(/^error: /, ''), {
    hint: '`kubewright --help` shows all commands and options.',
  });
}

function exitCodeOf(error: unknown): ExitCode {
  if (!isKubewrightError(error)) return EXIT.failed;
  // `server stop` in another terminal interrupts what uses the server as Ctrl-C would here.
  if (error.code === 'KW518') return EXIT.interrupted;
  return isWrongInput(error.code) ? EXIT.input : EXIT.failed;
}

/** KW504: the settings for Temporal; KW525: which cluster is meant was not said. */
function isWrongInput(code: string): boolean {
  return code.startsWith('KW1') || code === 'KW504' || code === 'KW525';
}

/** `help lab up` is `lab up --help`: commander's own help command does not know commands that are loaded lazily. */
function withHelpOption(argv: string[]): string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

/** Read from the line itself: the command that failed may not have come to its options. */
function outputOptions(argv: string[]): Pick<GlobalOptions, 'json' | 'color'> {
  const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);
  const says = (when: string): boolean => own.some((word, at) => `${own[at - 1]}=${word}`.endsWith(`--color=${when}`));
  const isNever = own.includes('--no-color') || says('never');
  return { json: own.includes('--json'), color: isNever ? 'never' : says('always') ? 'always' : 'auto' };
}

/** The process: what bin/kubewright.mjs calls. */
export async function run(): Promise<void> {
  // `kubewright schema | head` closes the pipe early; that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const code = await main(process.argv.slice(2));
  // `lab ssh` sets the exit code of what ran on the host.
  if (code !== EXIT.ok) process.exitCode = code;
  // A pipe takes 64 KiB at a time, and as slowly as its reader: what it has not taken yet would be lost.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  // Ends here even where a library left a timer or a socket behind: a command that is done must return.
  process.exit();
}
