import { basename } from 'node:path/posix';
import { inTurn } from '../../../../activities/in-turn.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { digestOf, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { runtimeOf } from '../../../registry/plan.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { REAL_SERVER, REAL_SERVER_SCRIPT_PATH, REAL_SERVER_UNIT_PATH } from '../places.js';
import { renderRealServerScript, renderRealServerUnit } from '../render/real-server.js';

const ACTIVATE_SECONDS = 60;

/** The service that gives a control plane the virtual IP while its API server is ready; see `renderRealServerScript`. */
export const configureRealServer: StepImplementation = {
  async probe(context) {
    const { changes } = await look(context);
    const { vip } = virtualIpOf(context.cluster);
    const done = changes.length === 0;
    const found = done
      ? `it has ${vip} on lo while its API server is ready`
      : `nothing gives it ${vip} when its API server is ready`;
    return { done, found, changes };
  },

  async apply(context) {
    const { files, stale, active } = await look(context);
    await Promise.all(stale.map(({ path, content, mode }) => context.host.writeFile(path, content, { mode })));
    // A restart takes the address away for a moment.
    await (active
      ? inTurn(context, 'the service of the virtual IP is restarted', () => restart(context, files))
      : restart(context, files));
  },
};

interface RealServerFile {
  path: string;
  content: string;
  mode: number;
}

interface RealServerState {
  files: RealServerFile[];
  stale: RealServerFile[];
  active: boolean;
  changes: string[];
}

/** The script before its unit: their digest is recorded in this order. */
export function realServerFiles(context: Pick<StepContext, 'cluster' | 'step'>): RealServerFile[] {
  const { cluster } = context;
  return [
    { path: REAL_SERVER_SCRIPT_PATH, content: renderRealServerScript(cluster, hostOf(context)), mode: 0o755 },
    { path: REAL_SERVER_UNIT_PATH, content: renderRealServerUnit(runtimeOf(cluster).unit), mode: 0o644 },
  ];
}

async function look(context: StepContext): Promise<RealServerState> {
  const files = realServerFiles(context);
  const script = `${files.map(({ path }) => `fact ${fileFact(path)} digest ${path}`).join('\n')}
fact active systemctl is-active ${REAL_SERVER}
fact enabled systemctl is-enabled ${REAL_SERVER}
fact loaded cat ${loadedConfigPath(REAL_SERVER)}`;
  const facts = await gatherFacts(context.host, script, context.signal);
  const stale = files.filter(({ path, content }) => facts.text(fileFact(path)) !== digestOf(content));
  const active = facts.text('active') === 'active';
  const loaded = facts.text('loaded').slice(0, 64) === digestOf(files.map(({ content }) => content).join(''));
  const changes = [
    ...stale.map(({ path }) => `write ${path}`),
    ...(facts.text('enabled') === 'enabled' ? [] : [`start ${REAL_SERVER} at boot`]),
    ...(active && loaded ? [] : [`${active ? 'restart' : 'start'} ${REAL_SERVER}`]),
  ];
  return { files, stale, active, changes };
}

function fileFact(path: string): string {
  return `file:${basename(path)}`;
}

async function restart(context: StepContext, files: RealServerFile[]): Promise<void> {
  const script = `# ${digestOf(files.map(({ content }) => content).join(''))}
systemctl daemon-reload
systemctl enable --quiet ${REAL_SERVER} && systemctl restart ${REAL_SERVER} && exit
journalctl --no-pager --quiet --lines=15 --unit=${REAL_SERVER}
exit 1
`;
  await context.durable('activate', script, {
    timeoutSeconds: ACTIVATE_SECONDS,
    hint: `\`systemctl status ${REAL_SERVER}\` on the host says more. Mend what it names, then retry the step.`,
  });
}
