import type { Command } from 'commander';
import { parseDuration } from './duration.js';

/** What every command takes that carries an operation out. */
export interface CarryOptions {
  detach: boolean;
  wait?: boolean;
  /** Milliseconds, as is `patience`. */
  timeout?: number;
  patience?: number;
  worker?: boolean;
}

/**
 * Gives a command the options that say how its run is followed, when a person is asked, and who works on it.
 *
 * @param noun what goes on when the command leaves: "install"
 */
export function addCarryOptions(command: Command, noun: string): Command {
  addFollowOptions(command.option('--detach', DETACH, false), noun).option(
    '--patience <duration>',
    'ask a person about a host that has not answered for so long; it is tried on (default 10m)',
    parseDuration,
  );
  return addWorkerOptions(command);
}

/** The same for an operation that waits for no person, and parks nothing. */
export function addUnattendedOptions(command: Command, noun: string): Command {
  return addWorkerOptions(addTimeout(command.option('--detach', DETACH, false), noun));
}

/** Gives a command the options that say how a run is followed. */
export function addFollowOptions(command: Command, noun: string): Command {
  command
    .option('--wait', 'go on when a step is blocked (default on a terminal)')
    .option('--no-wait', 'exit with code 3 when a step is blocked and nothing else can run (default elsewhere)');
  return addTimeout(command, noun);
}

const DETACH = 'leave worker and server running in the background, and return at once';

function addTimeout(command: Command, noun: string): Command {
  return command.option(
    '--timeout <duration>',
    `exit with code 4 after so long, such as 45m; the ${noun} goes on`,
    parseDuration,
  );
}

function addWorkerOptions(command: Command): Command {
  return command
    .option('--worker', 'start a worker here, for this cluster alone (default with the embedded server)')
    .option('--no-worker', 'start no worker: one runs elsewhere for this Temporal server');
}
