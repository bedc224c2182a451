import { utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { snapshots } from '../../../../../src/activities/check/host/snapshots.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, fifo, here, lay, link, look, program, remove, seen, useOneHost } from './one-host.js';

useOneHost();

const HOUR = 3_600_000;
const FOLDER = '/var/backups/etcd';

const asking = (files = `${FOLDER}/*.db`) => {
  const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
  return { ...cluster, health: { snapshots: { files, maxAge: 26 * HOUR } } };
};
const MEMBER = at(asking(), 'cp-1');

/** A file that was written so many hours ago. */
function written(name: string, hours: number, content = 'snapshot'): void {
  lay(`${FOLDER}/${name}`, content);
  const then = new Date(Date.now() - hours * HOUR);
  utimesSync(here(`${FOLDER}/${name}`), then, then);
}

/** What is told of the host, and the age of the newest in hours. */
async function told(where = MEMBER, now = Date.now()) {
  const [{ snapshots: all = [] }, faults] = [
    await seen(snapshots, where, { now }),
    await look(snapshots, where, { now }),
  ];
  const [found] = all;
  const age = found?.at === undefined ? undefined : Math.round((now - found.at) / HOUR);
  return {
    host: found?.host,
    file: found?.file,
    age,
    faults: faults.map(({ code, evidence }) => `${code} ${evidence}`),
  };
}

describe('snapshots of etcd on a host', () => {
  it('are told of by the newest of those that fit, however many there are', async () => {
    written('old.db', 50);
    written('new.db', 3);
    written('newest.txt', 1);
    expect(await told()).toEqual({ host: 'cp-1', file: `${FOLDER}/new.db`, age: 3, faults: [] });
  });

  it('are none where they are empty, hidden, half-written, below another folder, or no files', async () => {
    written('empty.db', 1, '');
    written('.hidden.db', 1);
    written('new.db.part', 1);
    written('below/new.db', 1);
    lay(`${FOLDER}/folder.db/file`);
    fifo(`${FOLDER}/pipe.db`);
    link(`${FOLDER}/nowhere.db`, '/nowhere');
    expect(await told()).toEqual({ host: 'cp-1', file: undefined, age: undefined, faults: [] });
    written('snapshot of today.db', 2);
    expect(await told()).toMatchObject({ file: `${FOLDER}/snapshot of today.db`, age: 2 });
  });

  it('count where a link leads to them, and hidden ones where they are asked for', async () => {
    written('elsewhere/new', 4);
    link(`${FOLDER}/latest.db`, here(`${FOLDER}/elsewhere/new`));
    expect(await told()).toMatchObject({ file: `${FOLDER}/latest.db`, age: 4 });
    written('.new', 5);
    expect(await told(at(asking(`${FOLDER}/.*`), 'cp-1'))).toMatchObject({ file: `${FOLDER}/.new`, age: 5 });
  });

  it('are none where their folder is not there, or is a file', async () => {
    expect(await told()).toEqual({ host: 'cp-1', file: undefined, age: undefined, faults: [] });
    lay(FOLDER, 'no folder');
    expect(await told()).toMatchObject({ host: 'cp-1', file: undefined, faults: [] });
  });

  it("have the age that the host's own clock gives them, whatever the worker's says", async () => {
    written('new.db', 3);
    expect(await told(MEMBER, Date.now() + 500 * HOUR)).toMatchObject({ age: 3, faults: [] });
  });

  it('of later than now are not believed: they are told of, unless there is another', async () => {
    written('later.db', -3);
    expect(await told()).toMatchObject({
      host: undefined,
      faults: [expect.stringMatching(/^KW642 snapshots of etcd .*later\.db is of later than now/)],
    });
    written('new.db', 2);
    expect(await told()).toMatchObject({ file: `${FOLDER}/new.db`, age: 2, faults: [] });
    remove(FOLDER);
    // The clock of a file server may be a little ahead.
    written('new.db', -0.05);
    expect(await told()).toMatchObject({ file: `${FOLDER}/new.db`, age: 0, faults: [] });
  });

  it('are not known where the host cannot look, or does not come to an end', async () => {
    program('find', 'echo "find: \'$2\': Input/output error" >&2; exit 1');
    expect(await told()).toMatchObject({ host: undefined, faults: [expect.stringContaining('Input/output error')] });
    program('find', 'exit 124');
    expect(await told()).toMatchObject({ host: undefined, faults: [expect.stringContaining('did not end')] });
  });

  it('are asked for where the file names some, and on hosts that hold a member', () => {
    expect(snapshots.questions(MEMBER)).not.toBe('');
    expect(snapshots.questions(at(asking(), 'w-1'))).toBe('');
    expect(snapshots.questions(at(clusterOf({ controlPlanes: 1, workers: 0 }), 'cp-1'))).toBe('');
    const apart = { ...clusterOf({ controlPlanes: 1, workers: 0, etcd: 1 }), health: asking().health };
    expect(['cp-1', 'etcd-1'].map((name) => snapshots.questions(at(apart, name)) !== '')).toEqual([false, true]);
  });
});
