import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { labFiles } from '../paths.js';
import type { LabPlan, LabRecord, LabUpOptions, PlannedHost } from '../types.js';
import { applySettings, labSettings } from './lab-settings.js';

/**
 * The cluster.yaml that a lab gives to its user: made from the plan, or the user's own file with the lab's keys. What
 * only a lab needs stands in it as visible lines with their reason, for none of it is a default of Kubewright's.
 */
export async function clusterFile(directory: string, lab: LabRecord, options: LabUpOptions): Promise<string> {
  const { privateKey } = labFiles(directory);
  const document =
    options.clusterFile === undefined
      ? newDocument(lab, directory)
      : await rehearsedDocument(options.clusterFile, lab.plan, privateKey, sshOfLab(directory));
  applySettings(document, await labSettings(lab));
  const origin = options.clusterFile === undefined ? '' : ` from ${resolve(options.clusterFile)}`;
  document.commentBefore = ` The rehearsal lab "${lab.name}", written by \`kubewright lab up\`${origin}.`;
  return document.toString({ lineWidth: 120 });
}

function sshOfLab(directory: string): Record<string, unknown> {
  const files = labFiles(directory);
  return { keyFile: files.privateKey, knownHostsFile: files.knownHosts, configFile: null, agent: false };
}

function newDocument({ name, plan }: LabRecord, directory: string): Document {
  const { privateKey } = labFiles(directory);
  const hosts = plan.hosts.filter((host) => host.role !== 'bastion');
  return new Document({
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      ...(plan.kubernetes ? { kubernetes: { version: plan.kubernetes } } : {}),
      endpoint: { vip: plan.vip },
      ssh: sshOfLab(directory),
      hosts: hosts.map((host) => {
        const ssh = hostSsh(host, plan, privateKey);
        const own = { name: host.name, address: host.address, role: host.role };
        return Object.keys(ssh).length > 0 ? { ...own, ssh } : own;
      }),
    },
  });
}

/** What a host's `ssh` says where it differs from a plain one. */
function hostSsh(host: PlannedHost, plan: LabPlan, keyFile: string): Record<string, unknown> {
  const bastion = plan.hosts.find(({ name }) => name === host.bastion);
  return {
    ...(host.user === 'root' ? {} : { user: host.user }),
    ...(host.sshPort === 22 ? {} : { port: host.sshPort }),
    ...(host.sudoPasswordEnv ? { sudoPasswordEnv: host.sudoPasswordEnv } : {}),
    ...(bastion ? { bastion: { address: bastion.address, port: bastion.sshPort, user: bastion.user, keyFile } } : {}),
  };
}

/** The user's file, comments included; only how hosts are reached is the lab's, and relative paths become absolute. */
async function rehearsedDocument(
  path: string,
  plan: LabPlan,
  keyFile: string,
  ssh: Record<string, unknown>,
): Promise<Document> {
  const document = parseDocument(await readFile(path, 'utf8'));
  document.setIn(['spec', 'ssh'], document.createNode(ssh));
  const hosts = document.getIn(['spec', 'hosts']);
  for (const item of isSeq(hosts) ? hosts.items : []) {
    if (isMap(item)) setHostSsh(document, item, plan, keyFile);
  }
  for (const keys of [
    ['spec', 'kubernetes', 'patchesDirectory'],
    ['spec', 'packages', 'bundle'],
  ]) {
    const value = document.getIn(keys);
    if (typeof value === 'string' && !value.startsWith('~')) document.setIn(keys, resolve(dirname(path), value));
  }
  return document;
}

function setHostSsh(document: Document, item: YAMLMap, plan: LabPlan, keyFile: string): void {
  const name = item.get('name');
  const host = plan.hosts.find((candidate) => candidate.name === (isScalar(name) ? name.value : name));
  if (!host) return;
  const ssh = hostSsh(host, plan, keyFile);
  if (Object.keys(ssh).length > 0) item.set('ssh', document.createNode(ssh));
  else item.delete('ssh');
}
