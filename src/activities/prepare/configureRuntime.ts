import { pauseImage } from '../../bundle/bundle.js';
import { KubewrightError } from '../../errors.js';
import {
  CONTAINERD_CONFIG_PATH,
  CONTAINERD_DROP_IN_PATH,
  CRICTL_CONFIG_PATH,
  renderContainerdConfig,
  renderContainerdDropIn,
  renderCrictlConfig,
} from '../../render/containerd.js';
import { loadedConfigPath } from '../../render/loaded-config.js';
import { digestOf, type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { bundleOf } from './target.js';

/** How long containerd may take to answer after a start: it looks through its images and containers first. */
const START_SECONDS = 60;

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
    const { host, signal } = context;
    const { files } = await look(context);
    for (const [path, content] of files) await host.writeFile(path, content);
    const { exitCode, stdout } = await host.run(startScript(), {
      signal,
      allowFailure: true,
      timeoutMs: (START_SECONDS + 60) * 1_000,
    });
    if (exitCode === 0) return;
    throw new KubewrightError('KW448', 'containerd does not run with its new configuration', {
      host: host.name,
      output: stdout,
      hint: 'Its last lines say why. Check "runtime.config" in cluster.yaml and `systemctl status containerd`, then retry the step.',
    });
  },
};

interface Look {
  version: string;
  files: Map<string, string>;
  changes: string[];
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
        overrides: context.cluster.runtime.config,
      }),
    ],
    [CONTAINERD_DROP_IN_PATH, renderContainerdDropIn()],
    [CRICTL_CONFIG_PATH, renderCrictlConfig()],
  ]);
  return { version, files, changes: changesOf(files, facts) };
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

/** Restarts only what has not read the configuration that is there: pods outlive a restart, but nothing is for free. */
function startScript(): string {
  return `cri() { ${CRI_ANSWERS}; }
wanted=$(sha256sum <${CONTAINERD_CONFIG_PATH})
loaded=$(cat ${loadedConfigPath('containerd')} 2>/dev/null)
began=$(date +%s)
systemctl daemon-reload
systemctl enable --quiet containerd.service
if [ "$wanted" != "$loaded" ] || ! systemctl is-active --quiet containerd.service || ! cri; then
  systemctl restart containerd.service
fi
for _ in $(seq ${START_SECONDS * 5}); do
  if cri 2>/dev/null; then exit 0; fi
  systemctl is-failed --quiet containerd.service && break
  sleep 0.2
done
journalctl --unit containerd.service --since "@$began" --no-pager --output cat | tail -n 20
exit 1
`;
}
