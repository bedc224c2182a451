import type { Starting } from '../../start.js';

/**
 * Bash condition: containerd answers, and its CRI plugin works. Whether it runs is asked of systemd first: ctr waits ten
 * seconds for a socket at which nobody listens.
 */
export const CRI_ANSWERS = `systemctl is-active --quiet containerd.service && ctr --timeout 5s plugins ls | awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" {found=1} END {exit !found}'`;

export const CONTAINERD: Starting = { service: 'containerd', answers: CRI_ANSWERS };
