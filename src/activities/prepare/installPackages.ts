import { compareVersions } from '../../compare-versions.js';
import {
  type DistributionFamily,
  type PackageFacts,
  type PackageGoal,
  packageFactsScript,
  parsePackageFacts,
} from '../../components/distribution/index.js';
import { oldestContainerd } from '../../components/runtime/containerd/versions.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import type { StepContext, StepImplementation } from '../types.js';
import { listed } from './checks/problem.js';
import { hostOf } from './target.js';

/**
 * Installs what comes from the distribution, in one transaction a host: containerd and runc (held at their version, for an
 * upgrade of the system must not restart the runtime), what kubelet and CNI plugins call, and HAProxy and keepalived on
 * control planes. Their services stay stopped until they are configured.
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
  const { host, signal } = context;
  const { stdout } = await host.run(packageFactsScript(), { signal });
  const { family, present } = parsePackageFacts(stdout);
  refuseOldContainerd(context, family, present);
  return { family, present, goal: family.goal(hostOf(context).role, present) };
}

/** Whatever the preflight could see: what is installed is not upgraded. @throws KubewrightError KW453 */
function refuseOldContainerd(
  { cluster, host }: StepContext,
  family: DistributionFamily,
  { packages }: PackageFacts,
): void {
  const oldest = oldestContainerd(cluster.kubernetes.version);
  const runtime = packages.find(({ name, installed }) => installed && name.startsWith('containerd'));
  const version = /\d+\.\d+(\.\d+)?/.exec(runtime?.version ?? '')?.[0];
  if (runtime === undefined || version === undefined || compareVersions(version, oldest) >= 0) return;
  throw new KubewrightError(
    'KW453',
    `its ${runtime.name} is ${runtime.version}, and Kubernetes ${cluster.kubernetes.version} needs ${oldest} or newer`,
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
  return `${listed(versions)} (held) and ${goal.install.length - goal.hold.length} other packages are installed`;
}

/** apt's output says more than its exit code: the lock, the mirror, the disk and the archive each want another act. */
function explained(error: unknown, family: DistributionFamily, host: string): unknown {
  // Only the command's own failure is explained; a lost connection or host stays what it is.
  if (!isKubewrightError(error) || error.transient || error.output === undefined) return error;
  const { code, message, hint, transient } = family.explain(error.output);
  return new KubewrightError(code, message, { hint, transient, host, output: error.output, cause: error });
}
