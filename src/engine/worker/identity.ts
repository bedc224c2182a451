import { hostname } from 'node:os';
import { BUILD } from '../../build.js';

/** What a worker calls itself at the server, and so in Temporal's UI: process, machine and build. */
export function workerIdentity(build = BUILD): string {
  return `${process.pid}@${hostname()} kubewright/${build}`;
}

/** What an identity says. Workers of 0.1.0 name no build, and other programs' whatever they like. */
export function readIdentity(identity: string): { pid?: number; machine?: string; build?: string } {
  const [, pid, machine, build] = /^(\d+)@(\S+)(?: kubewright\/(\S+))?$/.exec(identity) ?? [];
  return { pid: pid === undefined ? undefined : Number(pid), machine, build };
}
