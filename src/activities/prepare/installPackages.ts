import {
  type DistributionFamily,
  type PackageFacts,
  type PackageGoal,
  packageFactsScript,
  parsePackageFacts,
} from '../../components/distribution/index.js';
import { packageNeeds } from '../../components/packages.js';
import { runsContainers } from '../../components/registry/plan.js';
import { runtimeWorkOf } from '../../components/registry/work.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import type { StepContext, StepImplementation } from '../types.js';
import { listed } from './checks/problem.js';
import { hostOf } from './target.js';

/**
 * Installs what comes from the distribution, in one transaction a host: what kubelet and CNI plugins call, and what the
 * cluster's components need. Their services stay stopped until they are configured.
 */
export const installPackages: StepImplementation = {
  async probe(context) {
    const { goal, present } = await look(context);
    const changes = changesOf(goal, present);
    return {
      done: changes.length === 0,
      found: changes.length === 0 ? described(goal, present) : changes.join('; '),
      changes,
    };
  },

  async apply(context) {
    const { family, goal } = await look(context);
    try {
      await context.durable('packages', family.installScript(goal, context.cluster.packages.proxy), {
        timeoutSeconds: 2_000,
      });
    } catch (error) {
      throw explained(error, family, context.host.name);
    }
  },
};

interface Look {
  family: DistributionFamily;
  goal: PackageGoal;
  present: PackageFacts;
}

async function look(context: StepContext): Promise<Look> {
  const { cluster, host, signal } = context;
  const { role } = hostOf(context);
  const { stdout } = await host.run(packageFactsScript(packageNeeds(cluster)), { signal });
  const { family, present } = parsePackageFacts(stdout);
  if (runsContainers(cluster, role)) refuseOldRuntime(context, family, present);
  return { family, present, goal: family.goal(role, packageNeeds(cluster, [role]), present) };
}

/** Whatever the preflight could see: what is installed is not upgraded. @throws KubewrightError KW453 */
function refuseOldRuntime(
  { cluster, host }: StepContext,
  family: DistributionFamily,
  { packages }: PackageFacts,
): void {
  const runtime = runtimeWorkOf(cluster).outdated(cluster, packages);
  if (runtime === undefined) return;
  throw new KubewrightError(
    'KW453',
    `its ${runtime.name} is ${runtime.version}, and Kubernetes ${cluster.kubernetes.version} needs ${runtime.oldest} or newer`,
    {
      host: host.name,
      hint: `Upgrade it (\`${family.upgradeCommand([runtime.name])}\`), or install containerd.io of Docker's repository, which is kept; then retry the step.`,
    },
  );
}

function changesOf(goal: PackageGoal, { packages, heldOffUnits }: PackageFacts): string[] {
  const installed = new Set(packages.filter((state) => state.installed).map(({ name }) => name));
  const held = new Set(packages.filter((state) => state.held).map(({ name }) => name));
  const missing = goal.install.filter((name) => !installed.has(name));
  const free = goal.hold.filter((name) => !held.has(name));
  return [
    ...(missing.length > 0 ? [`install the packages ${listed(missing)}`] : []),
    ...(free.length > 0 ? [`hold ${listed(free)} at the installed version`] : []),
    ...heldOffUnits.map((unit) => `let ${unit} start again, which an interrupted installation held off`),
  ];
}

function described(goal: PackageGoal, { packages }: PackageFacts): string {
  const versions = goal.hold.map((name) => `${name} ${packages.find((state) => state.name === name)?.version}`);
  const others = goal.install.length - goal.hold.length;
  if (versions.length === 0) return `${others} packages are installed`;
  return `${listed(versions)} (held) and ${others} other packages are installed`;
}

/** A package manager's output says more than its exit code: the lock, the mirror, the disk and the archive each want another act. */
export function explained(error: unknown, family: DistributionFamily, host: string): unknown {
  // Only the command's own failure is explained; a lost connection or host stays what it is.
  if (!isKubewrightError(error) || error.transient || error.output === undefined) return error;
  const { code, message, hint, transient } = family.explain(error.output);
  return new KubewrightError(code, message, { hint, transient, host, output: error.output, cause: error });
}
