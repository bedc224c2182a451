import { inTurn } from '../../../../activities/in-turn.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import { bundleOf } from '../../../../activities/prepare/target.js';
import { linkFacts, linkPath, linkPrograms, programUpload, staleLinks } from '../../../../activities/program-links.js';
import { digestOf, type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { type PlacedProgram, placeProgram } from '../../../../bundle/programs.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { CRICTL_CONFIG_PATH } from '../../crictl.js';
import { registryChanges, registryFacts, writeRegistryFiles } from '../../registry-files.js';
import { type Starting, startRuntime } from '../../start.js';
import {
  CRIO_CONFIG_PATH,
  CRIO_DROP_IN_PATH,
  CRIO_POLICY_PATH,
  CRIO_PROGRAMS,
  CRIO_SOCKET_PATH,
  CRIO_UNIT_PATH,
} from '../paths.js';
import { REGISTRIES_PATH } from '../render/registry.js';
import { GOAL_FACTS, type Goal, goalOf, registryOf } from './goal.js';

/** Its unit is of type notify: it is active once CRI-O serves its socket. */
const CRIO: Starting = {
  service: 'crio',
  answers: `systemctl is-active --quiet crio.service && [ -S ${CRIO_SOCKET_PATH} ]`,
};

/**
 * Brings CRI-O up for the kubelet: the bundle's programs and their unit, the systemd cgroup driver, the bundle's pause image, the
 * images that stay whatever the disk, where CNI plugins are, and `runtime.config` over it. What was there before is kept beside it.
 * Done means that the process that runs was started with just that, and serves.
 */
export const configureCrio: StepImplementation = {
  async probe(context) {
    const { goal, changes } = await look(context);
    const working = `CRI-O ${goal.version} runs with Kubewright's configuration and answers`;
    return { done: changes.length === 0, found: changes.length === 0 ? working : changes.join('; '), changes };
  },

  async apply(context) {
    const { host, signal } = context;
    const { goal, facts, interrupts } = await look(context);
    const { programs, files, loaded } = goal;
    await host.upload(programs.map(programUpload), { signal, onProgress: (line) => context.progress(line) });
    for (const [path, content] of files) await host.writeFile(path, content);
    await writeRegistryFiles(context, goal.registry, facts);
    await linkPrograms(context, linked(programs));
    const start = () => startRuntime(context, CRIO, loaded);
    await (interrupts ? inTurn(context, 'CRI-O is restarted', start) : start());
  },
};

/** What a person may call. The others are found beside it. */
function linked(programs: readonly PlacedProgram[]): PlacedProgram[] {
  return programs.filter(({ name }) => name === 'crio');
}

interface Look {
  goal: Goal;
  facts: Facts;
  changes: string[];
  /** Whether a CRI-O that runs has to be restarted. */
  interrupts: boolean;
}

async function look(context: StepContext): Promise<Look> {
  const bundle = await bundleOf(context);
  const placed = CRIO_PROGRAMS.map((name) => placeProgram(bundle, name));
  const facts = await ask(context, linked(placed));
  const goal = goalOf(context, bundle, facts);
  const missing = await context.host.missingUploads(goal.programs.map(programUpload), { signal: context.signal });
  const upload = missing.length > 0 ? [`upload ${listed(missing.map(({ target }) => target))}`] : [];
  const changes = [...upload, ...changesOf(goal, facts)];
  return { goal, facts, changes, interrupts: changes.some((change) => change.startsWith('restart CRI-O')) };
}

const FILES = [
  CRIO_UNIT_PATH,
  CRIO_CONFIG_PATH,
  CRIO_POLICY_PATH,
  REGISTRIES_PATH,
  CRIO_DROP_IN_PATH,
  CRICTL_CONFIG_PATH,
];

function ask({ cluster, host, signal }: StepContext, placed: readonly PlacedProgram[]): Promise<Facts> {
  const digests = FILES.map((path) => `fact ${path} digest ${path} &\n`);
  const script = `${GOAL_FACTS}${digests.join('')}${linkFacts(placed)}${registryFacts(registryOf(cluster))}fact loaded cut -c 1-64 ${loadedConfigPath('crio')} &
fact active systemctl is-active crio.service &
fact enabled systemctl is-enabled crio.service &
cri() { ${CRIO.answers}; }
fact cri cri`;
  return gatherFacts(host, script, signal);
}

function changesOf({ programs, files, loaded, registry }: Goal, facts: Facts): string[] {
  const stale = [...files].filter(([path, content]) => facts.text(path) !== digestOf(content)).map(([path]) => path);
  const links = staleLinks(linked(programs), facts).map((program) => `link ${linkPath(program)} to ${program.target}`);
  const changes = [...stale.map((path) => `write ${path}`), ...registryChanges(registry, facts), ...links];
  if (!facts.holds('enabled')) changes.push('enable crio.service');
  const isNew = [CRIO_CONFIG_PATH, CRIO_UNIT_PATH, CRIO_POLICY_PATH, REGISTRIES_PATH].some((path) =>
    stale.includes(path),
  );
  if (!facts.holds('active')) changes.push('start CRI-O');
  else if (isNew) changes.push('restart CRI-O');
  else if (facts.text('loaded') !== loaded) changes.push('restart CRI-O, which runs with an older configuration');
  else if (!facts.holds('cri')) changes.push('wait for CRI-O, which does not answer');
  return changes;
}
