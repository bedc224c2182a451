import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'yaml';
import { machineArchitecture } from '../../../src/artifacts/recipes.js';
import type { Installed } from '../support/installed.js';

/** The suite ends by itself before whoever waits for it loses patience, so that it can say what it did. */
const SUITE_MINUTES = 14;

/** Of Ginkgo's JSON report, what is looked at here. */
export interface GinkgoReport {
  SpecReports: {
    LeafNodeType: string;
    ContainerHierarchyTexts: string[] | null;
    LeafNodeText: string;
    /** `passed`, `failed`, `skipped`, `timedout`, … */
    State: string;
    /** Nanoseconds. */
    RunTime: number;
    Failure?: { Message?: string };
  }[];
}

/** What became of one test. */
export interface Outcome {
  /** `passed`, or else what happened; `not there` when the suite has no test of this name. */
  state: string;
  seconds: number;
}

/** A regular expression of Go's that fits these tests and no others: Ginkgo sees names behind the one of the suite. */
export function focusOf(names: readonly string[]): string {
  const escaped = names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return `^Kubernetes e2e suite (${escaped.join('|')})$`;
}

/**
 * @param names full names, as of `focusOf`
 * @returns each name's outcome; a test that was passed over, by the focus or by itself, has not passed
 */
export function outcomesOf(reports: GinkgoReport[], names: readonly string[]): Map<string, Outcome> {
  const specs = reports.flatMap(({ SpecReports }) => SpecReports).filter(({ LeafNodeType }) => LeafNodeType === 'It');
  const found = new Map(
    specs.map((spec) => {
      const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ');
      const state = spec.Failure?.Message ? `${spec.State}: ${spec.Failure.Message}` : spec.State;
      return [name, { state, seconds: spec.RunTime / 1e9 }];
    }),
  );
  return new Map(names.map((name) => [name, found.get(name) ?? { state: 'not there', seconds: 0 }]));
}

/** Names of all tests that the release counts as conformance, as the suite itself lists them. */
export async function conformanceNames(program: string): Promise<string[]> {
  const { stdout } = await execa(program, ['--list-conformance-tests']);
  return (parse(stdout) as { codename: string }[]).map(({ codename }) => codename);
}

/**
 * Runs tests of the suite one after the other, from this machine, through VIP and port.
 *
 * @returns each name's outcome, and the end of what the suite printed
 */
export async function runConformance(program: string, cluster: Installed, names: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'kubewright-conformance-'));
  try {
    const args = [
      `--kubeconfig=${cluster.kubeconfig}`,
      // Much is asked by `kubectl exec`.
      `--kubectl-path=${cluster.kubectlPath}`,
      // No cloud, no way to the nodes but through the API.
      '--provider=skeleton',
      `--node-os-arch=${machineArchitecture()}`,
      '--disable-log-dump',
      `--report-dir=${directory}`,
      '--report-complete-ginkgo',
      `--ginkgo.focus=${focusOf(names)}`,
      // The same order each time.
      '--ginkgo.seed=1',
      '--ginkgo.no-color',
      `--ginkgo.timeout=${SUITE_MINUTES}m`,
    ];
    const timeout = (SUITE_MINUTES + 1) * 60_000;
    const result = await execa(program, args, { cwd: directory, all: true, reject: false, stdin: 'ignore', timeout });
    const output = result.all.slice(-4_000);
    const report = await readFile(join(directory, 'ginkgo', 'report.json'), 'utf8').catch(() => undefined);
    if (report === undefined) throw new Error(`The suite ended with ${result.exitCode} and no report:\n${output}`);
    return { outcomes: outcomesOf(JSON.parse(report) as GinkgoReport[], names), exitCode: result.exitCode, output };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
