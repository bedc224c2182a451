// `npm run demo`: from a fresh clone to a highly available cluster on lab hosts, shown working. See `--help`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureEverything, kubectlOf } from './artifacts.mjs';
import { showCluster } from './demo-tour.mjs';
import {
  installAndBuild,
  main,
  missingForAnything,
  missingForLab,
  ROOT,
  SetupError,
  sentenceOf,
  stage,
  useGoFromItsDirectory,
} from './setup.mjs';

const NAME = 'demo';
const TOPOLOGIES = ['stacked', 'external-etcd'];
const USAGE = `npm run demo [-- OPTIONS]

  --topology stacked        3 control planes with etcd on them, 2 workers (default)
  --topology external-etcd  3 etcd hosts, 3 control planes, 1 worker
  --keep                    leave the lab running afterwards (default)
  --down                    take the lab down afterwards`;

function options() {
  try {
    const { values } = parseArgs({
      options: {
        topology: { type: 'string', default: 'stacked' },
        keep: { type: 'boolean', default: false },
        down: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return values;
    if (!TOPOLOGIES.includes(values.topology)) {
      throw new Error(`--topology is ${sentenceOf(TOPOLOGIES).replace(' and ', ' or ')}, not ${values.topology}`);
    }
    if (values.keep && values.down) throw new Error('--keep and --down exclude one another');
    return values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${USAGE}`);
  }
}

/** Runs the command line as a user would. Its exit code decides, so it is shown and never hidden. */
export function kubewright(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin', 'kubewright.mjs'), ...args], { stdio: 'inherit' });
    // The child gets the terminal's Ctrl-C itself and ends in order; this process waits for it.
    const ignore = () => {};
    process.on('SIGINT', ignore);
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGINT', ignore);
      if (code === 0) resolve();
      else
        reject(new SetupError(`kubewright ${args.join(' ')} ended with exit code ${code}; \`npm run demo\` goes on.`));
    });
  });
}

/** The lab of an earlier demo when it fits and lives, else a new one. */
async function demoLab(topology) {
  const { openLab, labUp, clearLeftovers, takeDown } = await import('../dist/lab/hosts/index.js');
  await clearLeftovers();
  const present = await openLab(NAME).catch(() => undefined);
  if (present !== undefined) {
    if (present.record.plan.topology === topology) {
      console.log(`==> lab ${NAME} is there already`);
      for (const host of present.hosts) await host.powerOn();
      return present;
    }
    await stage(`the lab of the other topology goes`, () => takeDown(NAME));
  }
  // Hosts that are gone cannot be gone on with: an install that still waits for them would wait for ever.
  await forgetInstall();
  const log = (line) => console.log(`    ${line}`);
  return await stage('lab up', () => labUp({ name: NAME, topology, log }));
}

async function forgetInstall() {
  const { connect, stateDirectory } = await import('../dist/src/engine/index.js');
  if (!existsSync(join(stateDirectory(), 'temporal.db'))) return;
  const engine = await connect();
  try {
    const handle = engine.client.workflow.getHandle(`cluster/${NAME}`);
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') await handle.terminate('the lab of this demo is gone');
  } catch (error) {
    if (error.name !== 'WorkflowNotFoundError') throw error;
  } finally {
    await engine.close();
  }
}

async function demo() {
  const chosen = options();
  if (chosen.help) {
    console.log(USAGE);
    return;
  }
  const missing = [...missingForAnything(), ...missingForLab()];
  if (missing.length > 0) throw new SetupError(`The demo needs ${sentenceOf(missing)}.`);
  useGoFromItsDirectory();
  await installAndBuild();
  const { bundle } = await ensureEverything();
  const lab = await demoLab(chosen.topology);
  console.log(`==> kubewright install ${lab.files.clusterFile}`);
  await kubewright('install', lab.files.clusterFile);
  await showCluster(lab, await kubectlOf(bundle), kubewright);
  if (chosen.down) {
    await stage('lab down', () => lab.down());
    return;
  }
  await lookFurther(lab);
}

async function lookFurther(lab) {
  await kubewright('server', 'start');
  console.log(`
The lab goes on running. Look further with
  npx kubewright lab ssh --name ${lab.name} cp-1
  npx kubewright lab power-off cp-1 --name ${lab.name}      # then ask for the nodes again
  export KUBECONFIG=${join(lab.files.directory, 'kubeconfig')}
  npx kubewright status ${lab.name}
and when you have seen enough
  npx kubewright lab down --name ${lab.name} && npx kubewright server stop`);
}

if (process.argv[1] === import.meta.filename) await main(demo);
