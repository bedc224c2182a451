import { writeFile } from 'node:fs/promises';
import { POWER_VARIABLES, powerFault } from '../../activities/drill/words.js';
import { KubewrightError, messageOf } from '../../errors.js';
import { type ChosenScenarios, type DrillOptions, SCENARIO_TITLES } from '../../plan/drill.js';
import { type DrillReport, SCENARIOS, type Scenario } from '../../plan/drill-report.js';
import { renderDrillTimeline } from '../../render/drill-timeline.js';
import type { CommandContext } from './action.js';
import { canAsk, openQuestions } from './questions.js';

/** What the command line says of a drill, as it stands there. */
export interface GivenOptions {
  only?: string;
  powerOff?: string;
  powerOn?: string;
  movePods: boolean;
}

/**
 * Reads what was asked for, all of it at once. Power commands go into the environment of the worker that this command brings, and never
 * into a plan: no plan brings a worker a command of its own. Where they are in the environment already, no option is needed.
 *
 * @param env changed: gets the commands
 * @throws KubewrightError KW117 with everything that is wrong
 */
export function readDrillOptions(
  { only, powerOff, powerOn, movePods }: GivenOptions,
  env: NodeJS.ProcessEnv,
): DrillOptions {
  const wrong: string[] = [];
  const named = only?.split(',').map((name) => name.trim());
  for (const name of named ?? []) {
    if (!isScenario(name)) {
      wrong.push(`--only: there is no scenario ${JSON.stringify(name)}; there are ${SCENARIOS.join(', ')}`);
    }
  }
  const [off, on] = [powerOff ?? env[POWER_VARIABLES.off], powerOn ?? env[POWER_VARIABLES.on]];
  for (const [name, text] of Object.entries({ '--power-off': off, '--power-on': on })) {
    const fault = text ? powerFault(text) : undefined;
    if (fault !== undefined) wrong.push(`${name} ${fault}`);
  }
  if (!off !== !on) {
    wrong.push('--power-off and --power-on go together: a host that is switched off has to be switched on again');
  }
  if (wrong.length > 0) {
    throw new KubewrightError('KW117', wrong.join('\n'), { hint: '`kubewright drill --help` shows all options.' });
  }
  if (off && on) Object.assign(env, { [POWER_VARIABLES.off]: off, [POWER_VARIABLES.on]: on });
  return {
    ...(named === undefined ? {} : { only: named.filter(isScenario) }),
    ...(off && on ? { power: true as const } : {}),
    ...(movePods ? { movePods: true } : {}),
  };
}

const isScenario = (name: string): name is Scenario => SCENARIOS.some((each) => each === name);

/**
 * Tells what is to be broken, and has it confirmed by the cluster's name.
 *
 * @param more what else is to be known before, a sentence or two a line
 * @throws KubewrightError KW678 where it is not, or nobody can be asked
 */
export async function confirmDrill(
  context: CommandContext<{ yes: boolean }>,
  cluster: string,
  { chosen, impossible }: ChosenScenarios,
  more: readonly string[] = [],
): Promise<void> {
  const { output, shell, options } = context;
  output.note(`A drill breaks ${cluster} on purpose, one part after the other, and puts each back:`);
  for (const scenario of chosen) output.note(`  ${scenario}: ${SCENARIO_TITLES[scenario]}`);
  for (const { scenario, why } of impossible) output.note(`  (not ${scenario}: ${why})`);
  for (const line of more) output.note(line);
  if (options.yes) return;
  if (!canAsk(context)) {
    throw new KubewrightError('KW678', `nobody can be asked whether ${cluster} may be broken`, {
      hint: 'Give the command at a terminal, or with --yes.',
    });
  }
  const questions = openQuestions(shell);
  try {
    const answer = await questions.ask('Name of the cluster, to go on', (text) => text);
    if (answer === cluster) return;
  } finally {
    questions.close();
  }
  throw new KubewrightError('KW678', `that is not the name of ${cluster}`, { hint: 'Nothing was broken.' });
}

/** @throws KubewrightError KW118 where the file cannot be written */
export async function writeTimeline(path: string, report: DrillReport): Promise<void> {
  try {
    await writeFile(path, renderDrillTimeline(report));
  } catch (error) {
    throw new KubewrightError('KW118', `${path} cannot be written: ${messageOf(error)}`, {
      hint: 'The drill itself has ended. `kubewright drill history --report FILE` writes its time line again.',
    });
  }
}
