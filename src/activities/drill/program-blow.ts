import type { DrilledProgram } from '../../components/types.js';
import { bash, quote } from '../../hosts/shell.js';
import { SAYS_NO } from '../remote-facts.js';

/**
 * Ends of programs. A unit is stopped: it stays so until it is started again, by the restore step or by the host itself. The container of
 * a static pod is killed, as in a crash, and its kubelet brings it back: nothing has to be undone whoever dies. Its manifest is not moved
 * away, for that is what a kubelet takes its time over: of etcd it costs minutes, and a manifest that lies elsewhere when the worker
 * dies is an API server less.
 */
export interface ProgramBlow {
  /** Bash that breaks it; exit status 0 once it is broken. */
  strike: string;
  /** Bash that undoes it; empty where the host does that by itself. */
  undo: string;
  /** Bash function `is_whole`, to be put by `ask`: no is what the host itself says. */
  isWhole: string;
}

export function programBlow(program: DrilledProgram): ProgramBlow {
  return 'unit' in program ? unitBlow(program.unit) : containerBlow(program.container);
}

function unitBlow(unit: string): ProgramBlow {
  const name = quote(`${unit}.service`);
  return {
    strike: bash`systemctl stop ${name} || exit 1
[ "$(systemctl is-active ${name})" != active ]
`,
    undo: `systemctl start ${name}\n`,
    isWhole: `is_whole() { runs ${name}; }\n`,
  };
}

/** Of the pod that the kubelet runs from a manifest: another pod may have a container of that name, too. */
const ours = (name: string): string =>
  `--state Running --name ${quote(`^${name}$`)} --label io.kubernetes.pod.namespace=kube-system`;

function containerBlow(name: string): ProgramBlow {
  return {
    strike: bash`ids=$(crictl ps -q ${ours(name)}) && [ -n "$ids" ] || { echo 'no container of ${name} runs' >&2; exit 1; }
crictl stop --timeout 0 $ids >/dev/null
`,
    undo: '',
    isWhole: bash`is_whole() {
  local kw_ids
  kw_ids=$(crictl ps -q ${ours(name)}) || return 1
  [ -n "$kw_ids" ] || return ${SAYS_NO}
}
`,
  };
}
