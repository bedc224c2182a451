import { z } from 'zod';
import type { Check } from '../../../cluster/checks/index.js';
import { type Draft, type INVALID, isValid, pick } from '../../../cluster/resolve/draft.js';
import { integer, subjectName, wrong } from '../../../cluster/schema/forms.js';
import { optional, section } from '../../../cluster/schema/keys.js';
import type { ChoiceSchema } from '../../schema-types.js';
import { DEFAULTS } from './settings.js';

type SectionDraft =
  | Draft<{ certificateValidityDays?: number; certificateSANs?: string[] | null }>
  | typeof INVALID
  | null;

/** kubeadm's patches go into static pods. */
const checkPatches: Check = ({ kubernetes }, report) => {
  for (const { name } of kubernetes.patches.filter((patch) => patch.name?.startsWith('etcd'))) {
    report.error(['spec', 'kubernetes', 'patchesDirectory'], 'patch-without-pod', {
      message: `${name} patches etcd's static pod, and systemd runs etcd here`,
      expected: 'flags in spec.etcd.extraArgs, or a drop-in of kubewright-etcd.service on the hosts',
    });
  }
};

export const schema = {
  description: "a service of systemd's, from the artifacts' own etcd, with an authority of its own.",
  keys: {
    certificateValidityDays: optional(
      // Certificates are made anew by install, so they have to live for longer than from one to the next.
      integer('a number of days from 7 to 3650', 7, 3650),
      "With runner systemd: days for which etcd's certificates are made. They are made anew in the last third, at most a month before they end.",
      DEFAULTS.certificateValidityDays,
    ),
    certificateSANs: section(
      z.array(subjectName(), wrong('a list of names and addresses')),
      "With runner systemd: more names and addresses in the certificates of etcd's members. Each has its host's name and address anyway.",
      [],
    ),
  },
  resolve: (etcd: SectionDraft) => ({
    certificateValidityDays: pick(etcd, 'certificateValidityDays', DEFAULTS.certificateValidityDays),
    certificateSANs: (pick(etcd, 'certificateSANs', []) ?? []).filter(isValid),
  }),
  onlyInBundle: () => ({ key: 'runner', instead: 'static-pods' }),
  checks: [checkPatches],
} satisfies ChoiceSchema;
