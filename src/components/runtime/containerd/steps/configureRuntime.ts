import { inTurn } from '../../../../activities/in-turn.js';
import { bundleOf } from '../../../../activities/prepare/target.js';
import { digestOf, type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { pauseImage } from '../../../../bundle/bundle.js';
import { isKubewrightError, KubewrightError } from '../../../../errors.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { CONTAINERD_CONFIG_PATH, CONTAINERD_DROP_IN_PATH, CRICTL_CONFIG_PATH } from '../paths.js';
import { renderContainerdConfig, renderContainerdDropIn, renderCrictlConfig } from '../render/config.js';
import { settingsOf } from '../settings.js';

/** How long containerd may take to answer after a start: with many containers and a slow disk it takes minutes. */
const START_SECONDS = 540;

/** One that ended so often since it was started has something against its configuration. */
const MOST_RESTARTS = 3;

/**
 * Bash condition: containerd answers, and its CRI plugin works. Whether it runs is asked of systemd first: ctr waits ten
 * seconds for a socket at which nobody listens.
 */
const CRI_ANSWERS = `systemctl is-active --quiet containerd.service && ctr --timeout 5s plugins ls | awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" {found=1} END {exit !found}'`;

/**
 * Configures containerd for the kubelet: the systemd cgroup driver, the bundle's pause image, where CNI plugins are, and
 * `runtime.config` over it. A configuration that was there before is kept beside it. Done means that the process that runs
 * has read this very configuration and that its CRI plugin answers.
 */
export const configureRuntime: StepImplementation = {
  async probe(context) {
    const { version, changes } = await look(context);
    const working = `containerd ${version} runs with Kubewright's configuration and answers`;
    return { done: changes.length === 0, found: changes.length === 0 ? working : changes.join('; '), changes };
  },

  async apply(context) {
    const { host } = context;
    const { files, interrupts } = await look(context);
    for (const [path, content] of files) await host.writeFile(path, content);
    const start = () => startContainerd(context, digestOf(files.get(CONTAINERD_CONFIG_PATH) ?? ''));
    await (interrupts ? inTurn(context, 'containerd is restarted', start) : start());
  },
};

async function startContainerd(context: StepContext, digest: string): Promise<void> {
  try {
    await context.durable('containerd', startScript(digest), { timeoutSeconds: START_SECONDS + 20 });
  } catch (error) {
    // Only the command's own failure is explained; a lost connection or host stays what it is.
    if (!isKubewrightError(error) || error.code !== 'KW431') throw error;
    throw new KubewrightError('KW448', 'containerd does not run with its new configuration', {
      host: context.host.name,
      output: error.output,
      hint: 'Its last lines say why. Check "runtime.config" in cluster.yaml and `systemctl status containerd`, then retry the step.',
      cause: error,
    });
  }
}

interface Look {
  version: string;
  files: Map<string, string>;
  changes: string[];
  /** Whether a containerd that runs has to be restarted. */
  interrupts: boolean;
}

async function look(context: StepContext): Promise<Look> {
  const [bundle, facts] = await Promise.all([bundleOf(context), ask(context)]);
  const version = versionOf(facts.text('version'), context.host.name);
  const files = new Map([
    [
      CONTAINERD_CONFIG_PATH,
      renderContainerdConfig({
        version,
        pauseImage: pauseImage(bundle).names[0] ?? '',
        overrides: settingsOf(context.cluster).config,
      }),
    ],
    [CONTAINERD_DROP_IN_PATH, renderContainerdDropIn()],
    [CRICTL_CONFIG_PATH, renderCrictlConfig()],
  ]);
  const changes = changesOf(files, facts);
  return { version, files, changes, interrupts: changes.some((change) => change.startsWith('restart containerd')) };
}

function ask({ host, signal }: StepContext): Promise<Facts> {
  const script = `fact version containerd --version &
fact ${CONTAINERD_CONFIG_PATH} digest ${CONTAINERD_CONFIG_PATH} &
fact ${CONTAINERD_DROP_IN_PATH} digest ${CONTAINERD_DROP_IN_PATH} &
fact ${CRICTL_CONFIG_PATH} digest ${CRICTL_CONFIG_PATH} &
fact loaded cut -c 1-64 ${loadedConfigPath('containerd')} &
fact active systemctl is-active containerd.service &
fact enabled systemctl is-enabled containerd.service &
cri() { ${CRI_ANSWERS}; }
fact cri cri`;
  return gatherFacts(host, script, signal);
}

/** `containerd containerd.io 1.7.27 …` or `containerd github.com/containerd/containerd 1.6.20~ds1 …`. */
function versionOf(text: string, host: string): string {
  const version = /\b(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
  if (version !== undefined) return version;
  throw new KubewrightError('KW449', `containerd does not tell its version${text ? ` ("${text}")` : ''}`, {
    host,
    hint: 'Run `containerd --version` on the host; where it is missing, retry the step that installs the packages.',
  });
}

function changesOf(files: Map<string, string>, facts: Facts): string[] {
  const stale = [...files].filter(([path, content]) => facts.text(path) !== digestOf(content)).map(([path]) => path);
  const changes = stale.map((path) => `write ${path}`);
  if (!facts.holds('enabled')) changes.push('enable containerd.service');
  if (!facts.holds('active')) changes.push('start containerd');
  else if (stale.includes(CONTAINERD_CONFIG_PATH)) changes.push('restart containerd');
  else if (facts.text('loaded') !== facts.text(CONTAINERD_CONFIG_PATH)) {
    changes.push('restart containerd, which runs with an older configuration');
  } else if (!facts.holds('cri')) changes.push('wait for the CRI plugin of containerd, which does not answer');
  return changes;
}

/**
 * Restarts only what does not run or has not read the configuration that is there: pods outlive a restart, but nothing is
 * for free, and one that is on its way up would begin anew. Names the configuration, so that the end of an earlier
 * command that loaded another one is not taken for this one's.
 */
export function startScript(digest: string): string {
  return `cri() { ${CRI_ANSWERS}; }
loaded() { [ "$(cut -c 1-64 ${loadedConfigPath('containerd')} 2>/dev/null)" = ${digest} ]; }
of_unit() { systemctl show -p "$1" --value containerd.service; }
began=$(date +%s) said=0
systemctl daemon-reload
systemctl enable --quiet containerd.service
state=$(of_unit ActiveState)
case $state in
  active | activating | reloading) loaded || systemctl restart --no-block containerd.service ;;
  inactive | failed | deactivating) systemctl restart --no-block containerd.service ;;
  *) echo "systemd does not say whether containerd runs ("$state")"; exit 1 ;;
esac
# systemd counts on, or from nothing, after a restart by hand.
first=$(of_unit NRestarts)
until loaded && cri 2>/dev/null; do
  restarts=$(of_unit NRestarts)
  [ "$restarts" -ge "$first" ] || first=$restarts
  if [ "$(of_unit ActiveState)" = failed ] || [ $((restarts - first)) -ge ${MOST_RESTARTS} ] || [ "$SECONDS" -ge ${START_SECONDS} ]; then
    journalctl --unit containerd.service --since "@$began" --no-pager --output cat | tail -n 20
    exit 1
  fi
  if [ $((SECONDS / 15)) -gt $said ]; then
    said=$((SECONDS / 15))
    echo "waiting for containerd, which has not answered for $SECONDS s"
  fi
  sleep 0.2
done
`;
}
