import { inTurn } from '../../../../activities/in-turn.js';
import { linkPrograms } from '../../../../activities/program-links.js';
import { digestOf } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { isKubewrightError, KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import { FIRST_LINE, unitPath } from '../../vrrp/render/units.js';
import { configIn } from './director-files.js';
import { type DirectorState, lookAtDirector, preparations, serviceChanges } from './director-state.js';

const ACTIVATE_SECONDS = 120;

/** keepalived on one director, with the table of LVS that it keeps. Who holds the VIP is seen by `proveDirectors`. */
export const configureDirector: StepImplementation = {
  async probe(context) {
    const state = await lookAtDirector(context);
    const changes = [...preparations(state), ...serviceChanges(state)];
    const done = changes.length === 0;
    const found = done
      ? `keepalived runs with this configuration for ${endpointOf(context.cluster)}`
      : 'keepalived does not run with this configuration';
    return { done, found, changes };
  },

  async apply(context) {
    const state = await lookAtDirector(context);
    await bringPrograms(context, state);
    await validate(context, state);
    await Promise.all(state.stale.map(({ path, content }) => context.host.writeFile(path, content)));
    await removeUnit(context, state);
    if (serviceChanges(state).length === 0) return readUnits(context, state);
    const activate = () => bringUp(context, state);
    await (state.active ? inTurn(context, 'keepalived is reloaded', activate) : activate());
  },
};

/** A unit or a drop-in alone is no reason to touch what runs; systemd has to know it for the next start. */
async function readUnits({ host, signal }: StepContext, { stale }: DirectorState): Promise<void> {
  const isUnit = stale.some(({ path }) => path.startsWith('/etc/systemd/system/'));
  if (isUnit) await host.run('systemctl daemon-reload', { signal });
}

async function bringPrograms(context: StepContext, { programs }: DirectorState): Promise<void> {
  if (programs === undefined) return;
  const { host, signal } = context;
  await host.upload(programs.uploads, { signal, onProgress: (line) => context.progress(line) });
  await linkPrograms(context, programs.linked);
}

/** Lets keepalived read the new configuration before it replaces one that works. */
async function validate(context: StepContext, { files, programs }: DirectorState): Promise<void> {
  const keepalived = programs === undefined ? 'keepalived' : `${programs.release}/keepalived`;
  const script = `set -u
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
printf %s ${quote(configIn(files))} >"$directory/keepalived.conf"
${keepalived} --config-test --use-file="$directory/keepalived.conf" 2>&1
`;
  const result = await context.host.run(script, { signal: context.signal, allowFailure: true });
  if (result.exitCode === 0) return;
  throw new KubewrightError('KW462', 'keepalived refuses the configuration that was made for it', {
    host: context.host.name,
    output: `${result.stdout}${result.stderr}`.trim().slice(-4000),
    hint: 'Nothing was replaced. Look at the output, and at the version of keepalived: tested is 2.2.',
  });
}

/** It is looked at once more, and before anything is restarted: else the bundle's unit would start the distribution's program. */
async function removeUnit(context: StepContext, { unwantedUnit }: DirectorState): Promise<void> {
  if (!unwantedUnit) return;
  const path = unitPath('keepalived');
  const script = `! head -n 1 ${path} | grep -q ${quote(`^${FIRST_LINE}`)} || rm -f ${path}\n`;
  await context.host.run(script, { signal: context.signal });
}

/** A reload keeps the virtual IP, the table and its connections; another program has to be started anew. */
async function bringUp(context: StepContext, { files, wrongProgram }: DirectorState): Promise<void> {
  const verb = wrongProgram === undefined ? 'reload-or-restart' : 'restart';
  // Names the configuration, so that the end of an earlier command that loaded another one is not taken for this one's.
  const script = `# ${digestOf(files.map(({ content }) => content).join(''))}
systemctl daemon-reload
systemctl enable --quiet keepalived && systemctl ${verb} keepalived && exit
journalctl --no-pager --quiet --lines=15 --unit=keepalived
exit 1
`;
  try {
    await context.durable('activate', script, { timeoutSeconds: ACTIVATE_SECONDS });
  } catch (error) {
    // Only the command's own failure is explained; a lost connection or host stays what it is.
    if (!isKubewrightError(error) || error.code !== 'KW431') throw error;
    throw new KubewrightError('KW463', 'keepalived did not come up', {
      host: context.host.name,
      output: error.output,
      cause: error,
      hint: 'Look at `systemctl status keepalived` on the host, mend what it names, then retry the step.',
    });
  }
}
