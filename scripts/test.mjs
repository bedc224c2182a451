// `npm test`: sets everything up, runs every test this machine can run, and says aloud what it cannot.
// Arguments go to vitest: `npm test -- test/unit`, `npm test -- --project lab -t join`. Without any, the expensive lab files
// take turns, or wait (rotation.mjs); `npm run test:all` runs everything.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ensureEverything, ensureServer, hasOtherArchitecture } from './artifacts.mjs';
import { commitCount, fileOf, leftOut, needsOtherArchitecture, otherVersions, TWO_ARCHITECTURES } from './rotation.mjs';
import {
  ensureDebianPackages,
  installAndBuild,
  main,
  missingForAnything,
  missingForLab,
  ROOT,
  run,
  SetupError,
  sentenceOf,
  useGoFromItsDirectory,
} from './setup.mjs';

const PROJECTS = ['unit', 'workflow', 'lab'];

/** The projects that the arguments ask for, and the arguments without that choice. */
export function selection(args) {
  const chosen = [];
  const rest = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    if (arg === '--project') chosen.push(args[++index]);
    else if (arg.startsWith('--project=')) chosen.push(arg.slice('--project='.length));
    else rest.push(arg);
  }
  return { projects: chosen.length > 0 ? chosen : PROJECTS, rest };
}

/** Sums vitest's JSON reports. A file that could not even be loaded counts as one failure. */
export function sum(reports) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const report of reports) {
    total.passed += report.numPassedTests;
    total.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
    const unloaded = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    total.failed += report.numFailedTests + unloaded.length;
    // Vitest itself may fail after all tests have passed: an error outside of any test, or a failed global teardown.
    if (!report.success && report.numFailedTests === 0 && unloaded.length === 0) total.failed += 1;
  }
  return total;
}

/** The files that took longest, one line each. */
export function slowest(reports, count = 12) {
  return reports
    .flatMap((report) => report.testResults)
    .map(({ name, startTime, endTime }) => ({ name: relative(ROOT, name), seconds: (endTime - startTime) / 1000 }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count)
    .map(({ name, seconds }) => `${seconds.toFixed(0).padStart(6)} s  ${name}`);
}

/** What failed and why, a few lines each: the end of a long log is what people read, and sometimes all that is kept. */
export function failures(reports) {
  return reports
    .flatMap((report) => report.testResults)
    .flatMap(({ name, status, assertionResults }) => {
      const failed = assertionResults
        .filter((test) => test.status === 'failed')
        .map(({ fullName, failureMessages }) => [fullName, ...reason(failureMessages?.[0])].join('\n'));
      if (status === 'failed' && assertionResults.length === 0) failed.push('could not be loaded');
      return failed.map((what) => `failed: ${relative(ROOT, name)}: ${what}`);
    });
}

const REASON_LINES = 8;
const REASON_WIDTH = 200;

/** The start of an error's text, and where in the test it was thrown. */
function reason(message) {
  const lines = stripVTControlCharacters(message ?? '').split('\n');
  const trace = lines.findIndex((line) => /^\s+at /.test(line));
  const said = (trace < 0 ? lines : lines.slice(0, trace)).filter((line) => line.trim() !== '');
  const place = lines.slice(Math.max(trace, 0)).find((line) => /^\s+at .*\btest\//.test(line));
  return [
    ...said.slice(0, REASON_LINES),
    ...(place === undefined ? [] : [place.trim().replaceAll(`${ROOT}/`, '')]),
  ].map((line) => `    ${line.slice(0, REASON_WIDTH)}`);
}

async function runProject(project, args, directory) {
  const file = join(directory, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  let ended = true;
  try {
    await run(process.execPath, [vitest, 'run', '--project', project, '--passWithNoTests', ...reporters, ...args]);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    ended = false;
  }
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    return { ...report, success: report.success && ended };
  } catch {
    // No report: vitest was killed, or found nothing to run.
    return { success: ended, numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
  }
}

/** Bundles that a run needs beside this machine's of the default version. @param waiting files that it leaves out */
export function bundlesFor(waiting) {
  return { others: otherVersions(waiting), otherArchitecture: needsOtherArchitecture(waiting) };
}

async function test() {
  const missing = missingForAnything();
  if (missing.length > 0) throw new SetupError(`npm test needs ${sentenceOf(missing)}.`);
  useGoFromItsDirectory();
  const args = process.argv.slice(2);
  const all = args.includes('--all');
  const { projects, rest } = selection(args.filter((arg) => arg !== '--all'));
  const waiting = all || rest.length > 0 ? [] : leftOut(commitCount());
  await installAndBuild();

  const lacking = missingForLab();
  const notRun = [];
  const takesTurns = !all && rest.length === 0 && lacking.length === 0 && projects.includes('lab');
  if (takesTurns && needsOtherArchitecture(waiting) && !(await hasOtherArchitecture())) {
    waiting.push(fileOf(TWO_ARCHITECTURES));
    notRun.push([
      TWO_ARCHITECTURES,
      'the cache lacks the other architecture, which takes half an hour to make; `npm run test:all` makes it',
    ]);
  }
  if (projects.includes('lab') && lacking.length > 0) notRun.push(['lab', `it needs ${sentenceOf(lacking)}`]);
  // Without Go and root the workflow tests look for a Temporal server by themselves: on PATH, or by download.
  if (lacking.length === 0 && projects.includes('lab'))
    await ensureEverything(rest.length > 0 ? {} : bundlesFor(waiting));
  else if (lacking.length === 0 && projects.includes('workflow')) await ensureServer();

  // Elsewhere the tests that need an sshd say that they are not run: its package also starts one for everybody.
  if (process.env.CI && lacking.length === 0) await ensureDebianPackages(['openssh-client', 'openssh-server', 'gnupg']);

  const directory = mkdtempSync(join(tmpdir(), 'kubewright-test-'));
  const reports = [];
  try {
    for (const project of projects) {
      if (notRun.some(([name]) => name === project)) continue;
      console.log(`\n==> ${project} tests`);
      const started = performance.now();
      const exclusions = project === 'lab' ? waiting.flatMap((file) => ['--exclude', file]) : [];
      reports.push(await runProject(project, [...rest, ...exclusions], directory));
      console.log(`    ${project} tests took ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }

  console.log('');
  for (const line of slowest(reports)) console.log(line);
  console.log('');
  for (const file of waiting)
    console.log(`not in this run: ${file} (most take turns; \`npm run test:all\` runs everything)`);
  for (const [project, reason] of notRun) console.log(`not run here: ${project} tests (${reason})`);
  for (const line of failures(reports)) console.log(line);
  const { passed, failed, skipped } = sum(reports);
  if (passed + failed === 0) console.log('No test ran: does the selection match any?');
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main(test);
