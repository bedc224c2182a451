import { assign, bash } from '../../hosts/shell.js';

/** What puts the host back, as a file below /run: a reboot ends both the break and the need to undo it. */
const UNDO = '/run/kubewright/drill-undo';

/** The timer that runs it, and its service. */
const UNDO_UNIT = 'kubewright-drill-undo';

/**
 * Bash that breaks something under a dead man's switch: what undoes it is on the host, and armed, before anything is broken. If nobody
 * comes to put it back in time, the host does it itself. Where it cannot be armed, nothing is broken.
 */
export function strikeScript({ strike, undo }: { strike: string; undo: string }, seconds: number): string {
  if (undo === '') return strike;
  return `${assign({ undo: `${undo}rm -f ${UNDO}\n` })}${bash`set -u
umask 077
mkdir -p "$(dirname ${UNDO})" && printf %s "$undo" >${UNDO} || exit 1
systemctl stop ${UNDO_UNIT}.timer 2>/dev/null
systemctl reset-failed ${UNDO_UNIT}.timer ${UNDO_UNIT}.service 2>/dev/null
systemd-run --quiet --collect --unit=${UNDO_UNIT} --description='Kubewright: undoes what a drill broke' \
  --on-active=${seconds} --timer-property=AccuracySec=1s /bin/bash ${UNDO} || exit 1
`}${strike}`;
}

/** Bash that puts the host back now, and disarms the switch. What is whole already stays as it is. */
export const UNDO_SCRIPT = bash`if [ -f ${UNDO} ]; then /bin/bash ${UNDO}; fi
systemctl stop ${UNDO_UNIT}.timer 2>/dev/null
systemctl reset-failed ${UNDO_UNIT}.timer ${UNDO_UNIT}.service 2>/dev/null
exit 0
`;

/** Bash function `is_armed`, to be put by `ask`. */
export const IS_ARMED = `is_armed() { exists ${UNDO}; }\n`;
