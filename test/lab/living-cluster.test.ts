import { afterAll, beforeAll, describe } from 'vitest';
import { expectRecorded, expectRecordIsMended } from './support/applied-record.js';
import { expectEditsAreRefused } from './support/edited-file.js';
import { Installed } from './support/installed.js';
import { expectNamesWithoutAnyHost } from './support/post-conditions.js';
import { expectOneWriter } from './support/two-servers.js';
import { expectNothingLivingIsTouched } from './support/unanswered.js';

describe('a cluster that lives, with stacked etcd', () => {
  let cluster: Installed;

  beforeAll(async () => {
    cluster = await Installed.up('living', 'stacked');
    await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectRecorded(() => cluster);
  expectRecordIsMended(() => cluster);
  expectEditsAreRefused(() => cluster);
  expectOneWriter(() => cluster);
  expectNothingLivingIsTouched(() => cluster);
  expectNamesWithoutAnyHost(() => cluster, ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2']);
});
