import type { Cluster } from '../../../cluster/types.js';
import { componentsOf, runtimeOf } from '../../../components/registry/plan.js';
import { ownLeftovers } from '../../node-leftovers.js';
import { namesOf } from './words.js';

const UNIT_FOLDER = '/etc/systemd/system/';

/** Services that run for the cluster, in the order in which they are stopped: the kubelet first, for it starts others; the runtime last. */
export function unitsOf(cluster: Cluster): string[] {
  const files = namesOf(ownLeftovers(cluster), 'path')
    .filter((path) => path.startsWith(UNIT_FOLDER) && path.endsWith('.service'))
    .map((path) => path.slice(UNIT_FOLDER.length));
  const configured = componentsOf(cluster).flatMap(({ services }) => services.map(({ name }) => `${name}.service`));
  const { unit: runtime } = runtimeOf(cluster);
  const others = [...files, ...configured].filter((unit) => unit !== 'kubelet.service' && unit !== runtime);
  return [...new Set(['kubelet.service', ...others, runtime])];
}

/**
 * Bash that stops the kubelet, takes the pods away through their runtime, which also gives back their addresses, and stops what else
 * runs. What a runtime that does not answer leaves is ended by its cgroup; a runtime that ran before Kubewright came keeps what others
 * run in it.
 */
export function stopScript(cluster: Cluster): string {
  const units = unitsOf(cluster);
  const { unit: runtime, socket } = runtimeOf(cluster);
  const others = units.filter((unit) => unit !== 'kubelet.service' && unit !== runtime);
  return `systemctl stop kubelet.service 2>/dev/null || true
if command -v crictl >/dev/null && systemctl is-active --quiet ${runtime}; then
  crictl() { timeout 60 "$(type -P crictl)" --runtime-endpoint=${socket} --timeout=30s "$@"; }
  export -f crictl
  for try in 1 2 3; do
    pods=$(crictl pods --quiet) || break
    [ -n "$pods" ] || break
    say "taking $(wc -l <<<"$pods") pods away"
    xargs -r -n 1 -P 8 bash -c 'crictl rmp --force "$0" >/dev/null' <<<"$pods" || true
  done
  unset -f crictl
fi
for unit in ${others.join(' ')}; do systemctl stop "$unit" 2>/dev/null || true; done
if ! had active ${runtime}; then
  # Where it is not known whether it ran before, others may have containers in it, which outlive its end.
  ! known || systemctl kill --kill-who=all --signal=KILL ${runtime} 2>/dev/null || true
  systemctl stop ${runtime} 2>/dev/null || true
fi
# A shim outlives its runtime, and a container its shim.
# The kernel says 0 of a process that this host does not see: it is another's, and to kill 0 is to kill oneself.
pod_processes() { { find /sys/fs/cgroup -path '*kubepods*' -name cgroup.procs -exec cat {} + | sort -u | grep -vx 0 || true; } 2>/dev/null; }
for try in {1..20}; do
  processes=$(pod_processes)
  [ -n "$processes" ] || break
  xargs -r kill -9 <<<"$processes" 2>/dev/null || true
  sleep 0.5
done
{ find /sys/fs/cgroup -depth -type d -path '*kubepods*' -exec rmdir {} + || true; } 2>/dev/null
for unit in ${units.join(' ')}; do systemctl disable --quiet "$unit" 2>/dev/null || true; done
`;
}

/**
 * Bash that gives services back to the host as it had them: those of the distribution are enabled and started as before. To be run when
 * files are as they were.
 */
export function restoreUnitsScript(cluster: Cluster): string {
  return `systemctl daemon-reload
for unit in ${unitsOf(cluster).join(' ')}; do
  systemctl reset-failed "$unit" 2>/dev/null || true
  had unit "$unit" || continue
  case $(of unit | awk -F '\\t' -v name="$unit" '$1 == name {print $2}') in
    enabled*) systemctl enable --quiet "$unit" 2>/dev/null || say "cannot enable $unit" ;;
  esac
  if had active "$unit"; then systemctl restart "$unit" || say "cannot start $unit"; fi
done
`;
}
