import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { SYSCTL_PATH } from '../../src/render/sysctl.js';
import { type Browser, openBrowser } from '../browser.js';
import { clusterOfLab, eventually } from './lab-hosts.js';
import { Install, stepOf, stepsWith } from './ui/install.js';
import { picture } from './ui/screenshots.js';
import { TemporalUi } from './ui/temporal-ui.js';

/**
 * One story, told in order: an install that a person brings to its end in Temporal's own UI. Real hosts, the real server
 * and worker, a real browser; what came of each click is asked of the workflow and of the hosts, not of the page.
 */
let lab: Lab;
let controlPlane: LabHost;
let worker: LabHost;
let browser: Browser;
let stateDir: string;
let install: Install;
let ui: TemporalUi;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-ui-'));
  browser = await openBrowser();
  lab = await labUp({ name: 'ui', hosts: 2, replace: true });
  [controlPlane, worker] = [lab.host('cp-1'), lab.host('w-1')];
  await worker.powerOff();
  await controlPlane.exec('systemd-run --quiet --unit=stranger socat TCP-LISTEN:6443,fork,reuseaddr EXEC:cat');
  await eventually(async () => (await controlPlane.exec('ss -Hltn sport = :6443')).stdout !== '', 'a taken port');
  const cluster = await clusterOfLab(lab);
  install = await Install.start(cluster.name, lab.files.clusterFile, stateDir);
  ui = new TemporalUi(browser.page, install.uiUrl);
});

afterAll(async () => {
  await browser?.close();
  await install?.stop();
  await lab?.down();
  await rm(stateDir, { recursive: true, force: true });
});

/** A page asks the server before it shows anything, and the server shares its cores with a cluster. */
const PATIENT = { timeout: 180_000, interval: 200 };

/** What a person can read on the page, line by line. */
const text = async (): Promise<string> => (await browser.page.getByRole('main').allInnerTexts()).join('\n');

test('the UI is one that has the buttons', async () => {
  const answer = await fetch(`${install.uiUrl}/api/v1/settings`);
  const { Version } = (await answer.json()) as { Version: string };
  const [major = 0, minor = 0] = Version.split('.').map(Number);
  expect(major * 1000 + minor).toBeGreaterThanOrEqual(2047);
});

test('a blocked install is found in the list, and says which step, where, why, and how to go on', async () => {
  await install.until(({ progress }) => progress.blocked.length === 1);
  await ui.openBlockedInstalls();
  await ui.openInstall(install.workflowId);

  await ui.openTab('Search Attributes');
  await expect.poll(text, PATIENT).toMatch(/"KubewrightBlockedSteps": \[\s*"cp-1\/preflight"\s*\]/);
  await expect.poll(text, PATIENT).toContain('"KubewrightState": "blocked"');

  const details = await ui.currentDetails();
  const row = details.getByRole('row', { name: /^cp-1\/preflight/ });
  // The page draws the table anew whenever it asks the server, and is empty in between.
  const cells = (): Promise<string[]> => row.getByRole('cell').allInnerTexts();
  await expect.poll(async () => (await cells()).slice(0, 2), PATIENT).toEqual(['cp-1/preflight', 'cp-1']);
  await expect.poll(async () => (await cells())[2], PATIENT).toMatch(/^KW3\d\d: .*6443.*socat/);
  await expect.poll(async () => (await cells())[3], PATIENT).toContain('ss -Hltnp');
  await details.getByText('kubewright retry cp-1/preflight').waitFor();
  await details.getByText('{"step":"cp-1/preflight","blocking":1}').waitFor();
  await picture(browser.page, 'blocked-details');
});

test('a retry of a step that does not exist is refused in the dialog, with the name that was meant', async () => {
  const dialog = await ui.fillMessage('Update', 'retry', '{"step":"cp-1/preflights"}');
  await ui.submit(dialog);
  await dialog.getByText('Did you mean cp-1/preflight?').first().waitFor();
  await ui.cancel(dialog);
});

test('retry from the Update dialog tries the step again, after its cause was mended', async () => {
  await controlPlane.exec('systemctl stop stranger');
  const dialog = await ui.fillMessage('Update', 'retry', '{"step":"cp-1/preflight"}');
  await picture(browser.page, 'retry-update');
  await ui.submit(dialog);
  await dialog.waitFor({ state: 'hidden' });

  const now = await install.until((snapshot) => stepOf(snapshot, 'cp-1/preflight')?.state === 'done');
  expect(now.progress.blocked).toEqual([]);
  expect(now.progress.decisions).toMatchObject([{ verb: 'retry', steps: ['cp-1/preflight'], via: 'update' }]);
});

test('Reset on the card of a pending activity, which says why it waits, runs it at once', async () => {
  await ui.openTab('Pending Activities');
  await expect.poll(text, PATIENT).toMatch(/w-1\/preflight\s+Attempt\s+\d+ of Unlimited/);
  await expect.poll(text, PATIENT).toMatch(/Last Failure[\s\S]*"type": "KW2\d\d"/);
  await expect.poll(text, PATIENT).toContain('Next Retry');
  const question = await ui.askActivityReset();
  await picture(browser.page, 'activity-reset', 700);
  await ui.cancel(question);

  const next = await install.postpone('w-1/preflight');
  await worker.powerOn();
  expect(stepOf(await install.until(() => true), 'w-1/preflight')?.state).toBe('running');
  await ui.confirmActivityReset(await ui.askActivityReset());

  const now = await install.until((snapshot) => stepOf(snapshot, 'w-1/preflight')?.state === 'done');
  expect(stepOf(now, 'w-1/preflight')?.endedAt).toBeLessThan(next);
});

test('the install finishes, and the cluster is there', async () => {
  const end = await install.until(({ status }) => status !== 'running');
  expect(end.status).toBe('completed');
  const nodes = 'kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers';
  const { stdout } = await controlPlane.ssh(nodes);
  expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
    ['cp-1', 'Ready'],
    ['w-1', 'Ready'],
  ]);
});

let aborted: string;

test('retry as a Signal tries a blocked step again, and abort from the dialog ends the run with its reason', async () => {
  await worker.exec(`rm ${SYSCTL_PATH} && mkdir ${SYSCTL_PATH}`);
  await install.again();
  const { runId } = await install.until(
    ({ progress }) => progress.blocked[0]?.step === 'w-1/system' && progress.steps.every(hasRestOrEnded),
  );
  await ui.openRun(install.workflowId, runId);
  await ui.send('Signal', 'retry', '{"step":"w-1/system","blocking":1}');
  await install.until(({ progress }) => progress.blocked[0]?.blocking === 2);

  await ui.send('Update', 'abort', '{"reason":"enough for tonight"}');
  const end = await install.until(({ status }) => status !== 'running');
  expect(end.failure).toMatchObject({ code: 'KW810', message: expect.stringContaining('enough for tonight') });
  expect(stepsWith(end, 'changed')).toEqual([]);
  expect(stepsWith(end, 'unchanged')).toContain('cp-1/init');
  await worker.exec(`rm -r ${SYSCTL_PATH}`);
  aborted = end.runId;
});

/** Whether nothing of a step can happen before somebody decides. */
function hasRestOrEnded({ state }: { state: string }): boolean {
  return state !== 'running';
}

test('the aborted run, reset to its first task with its later messages, runs to its end and ignores them', async () => {
  await ui.openRun(install.workflowId, aborted);
  // Its Timeline shows the abort's stack trace, which is no matter of the picture.
  await ui.openTab('Search Attributes');
  const choice = { event: 'WorkflowTaskCompleted', excludeSignals: false, excludeUpdates: false };
  const dialog = await ui.fillWorkflowReset({ ...choice, reason: 'the worker is mended' });
  await picture(browser.page, 'workflow-reset');
  await ui.confirm(dialog);

  const end = await install.until(({ runId, status }) => runId !== aborted && status !== 'running');
  expect(end.status).toBe('completed');
  expect(stepsWith(end, 'changed')).toEqual(['w-1/system']);
  expect(stepsWith(end, 'unchanged')).toHaveLength(end.progress.steps.length - 1);
  // The abort, an update, was refused by its validator; the retry of a blocking that this run never had stands as ignored.
  expect(end.progress.decisions).toMatchObject([{ verb: 'retry', ignored: expect.stringMatching(/^KW80[16]/) }]);
});

test('the same Reset without them finds every step done, and no decision', async () => {
  const { runId: former } = await install.until(() => true);
  await ui.openRun(install.workflowId, aborted);
  const choice = { event: 'WorkflowTaskCompleted', excludeSignals: true, excludeUpdates: true };
  await ui.confirm(await ui.fillWorkflowReset({ ...choice, reason: 'once more, from the beginning' }));

  const end = await install.until(({ runId, status }) => ![aborted, former].includes(runId) && status !== 'running');
  expect(end.status).toBe('completed');
  expect(stepsWith(end, 'unchanged')).toHaveLength(end.progress.steps.length);
  expect(end.progress.decisions).toEqual([]);
});
