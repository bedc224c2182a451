import { artifactsOf } from '../../../../activities/artifacts.js';
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
import { startRuntime } from '../../start.js';
import { CONTAINERD_CONFIG_PATH, CONTAINERD_DROP_IN_PATH, CONTAINERD_UNIT_PATH } from '../paths.js';
import { settingsOf } from '../settings.js';
import { GOAL_FACTS, type Goal, goalOf, PROGRAMS, registryOf } from './goal.js';
import { CONTAINERD, CRI_ANSWERS } from './start.js';

/**
 * Brings containerd up for the kubelet: the bundle's programs and their unit where they are the bundle's, the systemd cgroup
 * driver, the pause image that kubeadm wants, where CNI plugins are, and `runtime.config` over it. What was there before is kept
 * beside it. Done means that the process that runs was started with just that, and that its CRI plugin answers.
 */
export const configureRuntime: StepImplementation = {
  async probe(context) {
    const { goal, changes } = await look(context);
    const working = `containerd ${goal.version} runs with Kubewright's configuration and answers`;
    return { done: changes.length === 0, found: changes.length === 0 ? working : changes.join('; '), changes };
  },

  async apply(context) {
    const { host, signal } = context;
    const { goal, facts, interrupts } = await look(context);
    const { programs, files, loaded } = goal;
    await host.upload(programs.map(programUpload), { signal, onProgress: (line) => context.progress(line) });
    for (const [path, content] of files) await host.writeFile(path, content);
    await writeRegistryFiles(context, goal.registry, facts);
    if (programs.length > 0) await linkPrograms(context, programs);
    if (goal.removesUnit) await host.run(`rm -f ${CONTAINERD_UNIT_PATH}\n`, { signal });
    const start = () => startRuntime(context, CONTAINERD, loaded);
    await (interrupts ? inTurn(context, 'containerd is restarted', start) : start());
  },
};

interface Look {
  goal: Goal;
  facts: Facts;
  changes: string[];
  /** Whether a containerd that runs has to be restarted. */
  interrupts: boolean;
}

async function look(context: StepContext): Promise<Look> {
  const bundle = settingsOf(context.cluster).source === 'bundle' ? await bundleOf(context) : undefined;
  const placed = bundle === undefined ? [] : PROGRAMS.map((name) => placeProgram(bundle, name));
  const pauseImage = (await artifactsOf(context)).pauseImage();
  const facts = await ask(context, placed);
  const goal = goalOf(context, { pauseImage, bundle }, facts);
  const missing = await context.host.missingUploads(goal.programs.map(programUpload), { signal: context.signal });
  const upload = missing.length > 0 ? [`upload ${listed(missing.map(({ target }) => target))}`] : [];
  const changes = [...upload, ...changesOf(goal, facts)];
  return { goal, facts, changes, interrupts: changes.some((change) => change.startsWith('restart containerd')) };
}

const FILES = [CONTAINERD_UNIT_PATH, CONTAINERD_CONFIG_PATH, CONTAINERD_DROP_IN_PATH, CRICTL_CONFIG_PATH];

function ask({ cluster, host, signal }: StepContext, placed: readonly PlacedProgram[]): Promise<Facts> {
  const digests = FILES.map((path) => `fact ${path} digest ${path} &\n`);
  const script = `${GOAL_FACTS}${digests.join('')}${linkFacts(placed)}${registryFacts(registryOf(cluster))}fact loaded cut -c 1-64 ${loadedConfigPath('containerd')} &
fact active systemctl is-active containerd.service &
fact enabled systemctl is-enabled containerd.service &
cri() { ${CRI_ANSWERS}; }
fact cri cri`;
  return gatherFacts(host, script, signal);
}

function changesOf({ programs, files, loaded, removesUnit, registry }: Goal, facts: Facts): string[] {
  const stale = [...files].filter(([path, content]) => facts.text(path) !== digestOf(content)).map(([path]) => path);
  const links = staleLinks(programs, facts).map((program) => `link ${linkPath(program)} to ${program.target}`);
  const changes = [...stale.map((path) => `write ${path}`), ...registryChanges(registry, facts), ...links];
  if (removesUnit) changes.push(`remove ${CONTAINERD_UNIT_PATH}`);
  if (!facts.holds('enabled')) changes.push('enable containerd.service');
  const isNew = [CONTAINERD_CONFIG_PATH, CONTAINERD_UNIT_PATH].some((path) => stale.includes(path)) || removesUnit;
  if (!facts.holds('active')) changes.push('start containerd');
  else if (isNew) changes.push('restart containerd');
  else if (facts.text('loaded') !== loaded) changes.push('restart containerd, which runs with an older configuration');
  else if (!facts.holds('cri')) changes.push('wait for the CRI plugin of containerd, which does not answer');
  return changes;
}
