import type { Path } from '../path.js';
import { duplicates } from './duplicates.js';
import type { Check } from './index.js';
import { unusable } from './ip.js';

/** Names that mean something else: `cluster/…` begins the ids of steps that concern all hosts. */
const RESERVED_NAMES = ['cluster', 'localhost'];

/** Names and addresses: each one of its own, and of a kind that a machine can have. */
export const checkHosts: Check = ({ hosts }, report) => {
  const at = (index: number, key: string): Path => ['spec', 'hosts', index, key];
  for (const key of ['name', 'address'] as const) {
    for (const { index, first } of duplicates(hosts.map((host) => host[key]))) {
      report.error(at(index, key), `duplicate-${key}`, {
        message: `another host has this ${key} already (line ${report.line(at(first, key))})`,
        expected: 'one of its own',
      });
    }
  }
  for (const [index, { name, address }] of hosts.entries()) {
    if (name !== undefined && RESERVED_NAMES.includes(name)) {
      report.error(at(index, 'name'), 'reserved-name', {
        message: 'this name is reserved: it means something else in the ids of steps and in every /etc/hosts',
        expected: 'another name, such as cp-1',
      });
    }
    if (name !== undefined && /^[0-9.]+$/.test(name)) {
      report.error(at(index, 'name'), 'name-is-address', {
        message: 'this reads like an address or a number, not like a name',
        expected: 'a name with a letter in it, such as cp-1',
      });
    }
    const reason = address === undefined ? undefined : unusable(address);
    if (reason !== undefined) {
      report.error(at(index, 'address'), 'unusable-address', {
        message: `this address ${reason}`,
        expected: 'the address by which the other hosts reach this one',
      });
    }
  }
};
