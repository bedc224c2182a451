import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../package-root.js';

/** What came of a program. */
export interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The machine that gets the service. Given in, so that tests have one of their own. */
export interface ServiceSystem {
  /** Effective user id of this process. */
  uid: number;
  /** Put before the paths of files that are written and looked at; empty for the machine itself. */
  root: string;
  /** The Node that runs this, and Kubewright's program. */
  node: string;
  program: string;
  /** Runs a program; 127 where it is not there. Never throws. */
  run(program: string, argv: readonly string[]): Promise<Ended>;
}

/** This machine. */
export function thisSystem(): ServiceSystem {
  return {
    uid: process.geteuid?.() ?? -1,
    root: '',
    node: process.execPath,
    program: join(packageRoot(), 'bin', 'kubewright.mjs'),
    run: async (program, argv) => {
      const { exitCode = 127, stdout, stderr } = await execa(program, argv, { reject: false, stdin: 'ignore' });
      return { exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
    },
  };
}

/** Whether systemd is what this machine was booted with, as sd_booted(3) asks it. */
export function isBootedBySystemd({ root }: ServiceSystem): boolean {
  return existsSync(join(root, '/run/systemd/system'));
}
