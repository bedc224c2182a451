import { type Cluster, hostsOf } from '../cluster/types.js';
import { etcdHosts, holdsMember, loadBalancerOf } from '../components/registry/plan.js';
import { KubewrightError } from '../errors.js';
import { SCENARIOS, type Scenario } from './drill-report.js';
import { releaseStep } from './install.js';
import { clusterStep, type StepFields } from './step.js';
import type { Step, StepParameters } from './types.js';

/** What a person asks of a drill. */
export interface DrillOptions {
  /** Scenarios; left out: all that are possible. */
  only?: readonly Scenario[];
  /**
   * Whether a control plane may be switched off. How, the environment of the worker says (KUBEWRIGHT_POWER_OFF, KUBEWRIGHT_POWER_ON): no
   * plan brings a worker a command of its own.
   */
  power?: true;
  /** Whether a node is kept away until its pods were made anew elsewhere: some six minutes with Kubernetes' own tolerations. */
  movePods?: boolean;
}

/** A scenario that cannot be done with a cluster, and why, as a sentence without its end. */
export interface Impossible {
  scenario: Scenario;
  why: string;
}

/** Which scenarios a drill consists of, and which are left out. */
export interface ChosenScenarios {
  chosen: Scenario[];
  impossible: Impossible[];
}

/** Chooses scenarios by what cluster.yaml says; what only hosts can tell is asked before each break. Pure. */
export function chooseScenarios(cluster: Cluster, options: DrillOptions = {}): ChosenScenarios {
  const wanted = SCENARIOS.filter((scenario) => options.only?.includes(scenario) ?? true);
  const impossible = wanted.flatMap((scenario): Impossible[] => {
    const why = whyNot(scenario, cluster, options);
    return why === undefined ? [] : [{ scenario, why }];
  });
  const left = new Set(impossible.map(({ scenario }) => scenario));
  return { chosen: wanted.filter((scenario) => !left.has(scenario)), impossible };
}

/**
 * The scenarios that are possible.
 *
 * @throws KubewrightError KW670 where one that was asked for by name is not, or none is
 */
export function possibleScenarios(cluster: Cluster, options: DrillOptions): ChosenScenarios {
  const found = chooseScenarios(cluster, options);
  const { chosen, impossible } = found;
  if (chosen.length > 0 && (options.only === undefined || impossible.length === 0)) return found;
  const lines = impossible.map(({ scenario, why }) => `${scenario}: ${why}`);
  throw new KubewrightError('KW670', `${cluster.name} cannot be drilled so: ${lines.join('; ')}`, {
    hint: 'Nothing was broken. `--only` names the scenarios that are to be done.',
  });
}

function whyNot(scenario: Scenario, cluster: Cluster, { power }: DrillOptions): string | undefined {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  if (controlPlanes.length < 2)
    return 'there is no second control plane: with what it has alone the cluster stands still';
  const asker = whyNobodyAsks(scenario, cluster);
  if (asker !== undefined) return asker;
  const reasons: Record<Scenario, () => string | undefined> = {
    balancer: () => whyNoBalancer(cluster),
    'api-server': () => undefined,
    'etcd-leader': () => whyNoQuorum(cluster),
    power: () => {
      if (power !== true) return '--power-off and --power-on do not say how a host is switched off and on';
      return holdsMember(cluster, 'control-plane') ? whyNoQuorum(cluster) : undefined;
    },
    network: () => (hostsOf(cluster, 'worker').length === 0 ? 'there is no worker' : undefined),
  };
  return reasons[scenario]();
}

/** Somebody has to ask who is neither struck nor a control plane that answers itself at the endpoint. */
function whyNobodyAsks(scenario: Scenario, cluster: Cluster): string | undefined {
  const workers = hostsOf(cluster, 'worker').length - (scenario === 'network' ? 1 : 0);
  if (workers > 0 || !loadBalancerOf(cluster).answersOnControlPlanes) return undefined;
  return 'every control plane has the endpoint itself, and there is no worker left that could ask from outside';
}

function whyNoBalancer(cluster: Cluster): string | undefined {
  const { drilled, hostRole } = loadBalancerOf(cluster);
  if (drilled === null) return 'the load balancer is not of this cluster';
  return hostsOf(cluster, hostRole ?? 'control-plane').length < 2
    ? 'there is no second host with a balancer'
    : undefined;
}

function whyNoQuorum(cluster: Cluster): string | undefined {
  const members = etcdHosts(cluster).length;
  const quorum = Math.floor(members / 2) + 1;
  if (members - 1 >= quorum) return undefined;
  return `etcd would lose its quorum: it has ${members} member${members === 1 ? '' : 's'} and needs ${quorum}`;
}

/** What a person reads of a scenario. */
export const SCENARIO_TITLES: Record<Scenario, string> = {
  balancer: 'the balancer of the host that has the endpoint',
  'api-server': 'an API server',
  'etcd-leader': "etcd's leader",
  power: 'the power of a control plane',
  network: 'the network of a worker',
};

/** Minutes for which a host may be away before a drill goes on without it: whatever it broke is to be put back soon. */
const PATIENCE_MINUTES = 2;

/** Id of the step that looks whether the cluster may be drilled at all. */
export const DRILL_PREFLIGHT = 'cluster/preflight';

/** The steps of one scenario, by what they do: `cluster/SCENARIO-VERB`. */
export const drillStep = (scenario: Scenario, verb: DrillVerb): string => `cluster/${scenario}-${verb}`;

/** `ask` begins to measure, `end` ends that; `watch` waits for all that the break has brought about. */
export type DrillVerb = 'ask' | 'break' | 'watch' | 'restore' | 'health' | 'report' | 'end';

/**
 * Computes the steps of a fail-over drill. Pure. One scenario after the other: something begins to ask, a part is broken, what comes
 * of it is waited for, it is put back, and the cluster is looked at until it is well again. Nobody is asked on the way, for whatever is
 * broken is to be put back first; so a step that fails is reported, and each scenario is left out unless the one before it ended
 * well. What puts back and cleans up is done `always`: after an abort or a cancellation, too.
 *
 * @param options without scenarios that are impossible; see `chooseScenarios`
 */
export function planDrill(cluster: Cluster, options: DrillOptions = {}): Step[] {
  const { chosen } = chooseScenarios(cluster, options);
  const preflight = drilling('preflight', {
    phase: 'preflight',
    action: 'checkDrill',
    title: 'Check that the cluster is whole and can lose a part',
    needs: [],
    timeoutMinutes: 10,
  });
  const steps: Step[] = [chosen.includes('power') ? { ...preflight, with: { power: true } } : preflight];
  let before = preflight.id;
  for (const scenario of chosen) {
    const own = scenarioSteps(scenario, before, options);
    steps.push(...own);
    before = drillStep(scenario, 'health');
  }
  const ends = chosen.map((scenario) => drillStep(scenario, 'end'));
  return [...steps, { ...releaseStep(ends), onFailure: 'report' }];
}

function scenarioSteps(scenario: Scenario, before: string, { movePods = false }: DrillOptions): Step[] {
  const what = SCENARIO_TITLES[scenario];
  const id = (verb: DrillVerb): string => drillStep(scenario, verb);
  const parameters: StepParameters = {
    scenario,
    before,
    ...(movePods && TAKES_NODE_AWAY.has(scenario) ? { movePods: true } : {}),
  };
  const step = (verb: DrillVerb, fields: Omit<StepFields, 'phase'>, always?: true): Step => ({
    ...drilling(`${scenario}-${verb}`, { phase: 'drill', ...fields }),
    with: parameters,
    ...(always && { always }),
  });
  const ended = before === DRILL_PREFLIGHT ? [] : [before.replace(/-health$/, '-end')];
  return [
    step('ask', { action: 'startProbes', title: `Begin to ask: ${what} comes next`, needs: [before, ...ended] }),
    step('break', { action: 'breakPart', title: `Stop ${what}`, needs: [id('ask')] }),
    step('watch', {
      action: 'watchBreak',
      title: `See what comes of it: ${what}`,
      needs: [id('ask'), id('break')],
      timeoutMinutes: movePods ? 20 : 10,
    }),
    step(
      'restore',
      {
        action: 'putBack',
        title: `Put back ${what}`,
        needs: [id('ask'), id('break'), id('watch')],
        timeoutMinutes: 20,
      },
      true,
    ),
    step('health', {
      action: 'awaitHealth',
      title: `See that the cluster is whole again: ${what}`,
      needs: [id('ask'), id('break'), id('restore')],
      timeoutMinutes: 25,
    }),
    step('report', {
      action: 'reportDrill',
      title: `Read what was seen: ${what}`,
      needs: [id('ask'), id('break'), id('health')],
    }),
    step('end', { action: 'endProbes', title: `End the questions: ${what}`, needs: [id('ask'), id('report')] }, true),
  ];
}

/** Scenarios after which the node's pods are made anew elsewhere, in time. */
const TAKES_NODE_AWAY: ReadonlySet<Scenario> = new Set(['power', 'network']);

function drilling(verb: string, fields: StepFields): Step {
  return { ...clusterStep(verb, fields), onFailure: 'report', patienceMinutes: PATIENCE_MINUTES };
}
