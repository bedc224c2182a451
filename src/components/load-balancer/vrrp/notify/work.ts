import type { Problem } from '../../../../activities/prepare/checks/problem.js';
import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import { hostsOf } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import { type NotifySettings, notifyOf, secretVariables } from './settings.js';

/** What stands in the way of telling somebody of changes: secrets that nobody gave, programs that no control plane has. */
export async function notifyProblems(context: StepContext): Promise<Problem[]> {
  const notify = notifyOf(context.cluster);
  if (notify === undefined) return [];
  const secrets = secretVariables(notify).filter((variable) => context.secret(variable) === undefined);
  return [...secrets.map(missingSecret), ...(await missingPrograms(context, programsOf(notify)))];
}

function missingSecret(variable: string): Problem {
  return {
    code: 'KW346',
    what: `the worker's environment has no ${variable}, which "loadBalancer.notify" names`,
    hint: `Set ${variable} in the terminal, or where the worker is started.`,
  };
}

/** Of the hosts' own; curl comes with the packages. */
function programsOf({ mail, command }: NotifySettings): string[] {
  const sendmail = mail !== null && mail.smtp === null ? ['sendmail'] : [];
  return [...sendmail, ...(command ?? []).slice(0, 1)];
}

async function missingPrograms(context: StepContext, programs: string[]): Promise<Problem[]> {
  if (programs.length === 0) return [];
  const script = programs.map((program, index) => `fact program-${index} command -v ${quote(program)}`).join('\n');
  const looks = hostsOf(context.cluster, 'control-plane').map(async ({ name }) => {
    const facts = await gatherFacts(context.hostNamed(name), script, context.signal);
    return programs.filter((_, index) => !facts.holds(`program-${index}`)).map((program) => ({ name, program }));
  });
  const missing = (await Promise.all(looks)).flat();
  return programs.flatMap((program) => {
    const hosts = missing.filter((each) => each.program === program).map(({ name }) => name);
    return hosts.length === 0 ? [] : [missingProgram(program, hosts)];
  });
}

function missingProgram(program: string, hosts: string[]): Problem {
  return {
    code: 'KW347',
    what: `${hosts.join(', ')} cannot run ${program}, which "loadBalancer.notify" needs there`,
    hint:
      program === 'sendmail'
        ? 'Install a mail program with `sendmail` there (msmtp-mta, postfix), or name a mail server in "notify.mail.smtp".'
        : 'Put it there, executable, or correct "notify.command".',
  };
}
