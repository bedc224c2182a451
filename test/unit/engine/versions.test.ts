import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { becomeCurrent, replaceAbandoned } from '../../../src/engine/versions/current.js';
import { type Asked, deploymentOf, knowsVersions } from '../../../src/engine/versions/deployment.js';
import { handOver, pinnedBuild, takeOverAbandoned } from '../../../src/engine/versions/pinned.js';

const QUEUE = 'kubewright/cluster/demo';
const NAME = 'kubewright-cluster-demo';
const version = (buildId: string) => ({ deploymentName: NAME, buildId });
const grpc = (code: number) => Object.assign(new Error(`${code}`), { code });

/** A server as far as versions go: which one is current, whose workers ask for work, which runs are pinned to what. */
class Server {
  current: string | undefined;
  registered: string[] = [];
  working: string[] = [];
  runs: { workflowId: string; build: string }[] = [];
  pinnedTo: Record<string, string> = {};
  serverVersion = '1.29.1';
  refusal: Error | undefined;

  asked(): Asked {
    const service = {
      getSystemInfo: async () => ({ serverVersion: this.serverVersion }),
      describeWorkerDeployment: async () => {
        if (this.refusal !== undefined) throw this.refusal;
        if (this.registered.length === 0) throw grpc(5);
        const currentDeploymentVersion = this.current && { buildId: this.current };
        return { workerDeploymentInfo: { routingConfig: { currentDeploymentVersion } } };
      },
      setWorkerDeploymentCurrentVersion: async ({ buildId }: { buildId: string }) => {
        if (!this.registered.includes(buildId)) {
          // It learns of a version from its first question for work, a moment later.
          this.registered.push(buildId);
          throw grpc(this.registered.length === 1 ? 9 : 5);
        }
        this.current = buildId;
      },
      describeTaskQueue: async () => ({
        pollers: this.working.map((build) => ({
          identity: `${process.pid}@${hostname()} kubewright/${build}`,
          lastAccessTime: { seconds: Date.now() / 1_000 },
        })),
      }),
      listWorkflowExecutions: async () => ({
        executions: this.runs.map(({ workflowId, build }) => ({
          execution: { workflowId, runId: 'r' },
          searchAttributes: {
            indexedFields: {
              TemporalWorkerDeploymentVersion: { data: Buffer.from(JSON.stringify(`${NAME}:${build}`)) },
            },
          },
        })),
      }),
      updateWorkflowExecutionOptions: async (request: {
        workflowExecution: { workflowId: string };
        workflowExecutionOptions: { versioningOverride: { pinned: { version: { buildId: string } } } };
      }) => {
        const { buildId } = request.workflowExecutionOptions.versioningOverride.pinned.version;
        this.pinnedTo[request.workflowExecution.workflowId] = buildId;
      },
    };
    return { workflowService: service as unknown as Asked['workflowService'], namespace: 'default' };
  }
}

const signal = new AbortController().signal;

describe('a queue’s deployment', () => {
  it('has a name that the server takes, and no two queues have one', () => {
    const queues = [
      'kubewright',
      QUEUE,
      'team.a',
      'team-a',
      'team:a',
      '__x',
      'a'.repeat(300),
      'a'.repeat(301),
      'ümlaut',
    ];
    const names = queues.map(deploymentOf);
    expect(new Set(names).size).toBe(queues.length);
    // service/worker/workerdeployment/util.go of Temporal 1.29.1: no dot, no colon, no leading __, half of 1,000 characters.
    for (const name of names) expect(name).toMatch(/^(?!__)[^.:]{1,400}$/);
    expect(deploymentOf(QUEUE)).toBe(NAME);
  });

  it.each([
    ['of before', '1.28.0', undefined, false],
    ['that has them', '1.29.1', undefined, true],
    ['that lets nobody use them', '1.30.0', grpc(7), false],
    ['that was built without them', '1.30.0', grpc(12), false],
  ])('is used on a server %s or not', async (_, serverVersion, refusal, expected) => {
    const server = Object.assign(new Server(), { serverVersion, refusal });
    expect(await knowsVersions(server.asked(), NAME)).toBe(expected);
  });

  it('is not given up for a server that does not answer', async () => {
    const server = Object.assign(new Server(), { refusal: grpc(14) });
    await expect(knowsVersions(server.asked(), NAME)).rejects.toMatchObject({ code: 14 });
  });
});

describe('the current version', () => {
  it.each([
    ['nobody is', undefined, [], '0.2.0'],
    ['an older one is and works', '0.1.0+a', ['0.1.0+a'], '0.2.0'],
    ['another commit of the same version is and works', '0.2.0+b', ['0.2.0+b'], '0.2.0'],
    ['a newer one is and works', '0.10.0', ['0.10.0'], '0.10.0'],
    ['a newer one is and nobody runs it', '0.10.0', [], '0.2.0'],
  ])('when a worker of 0.2.0 starts and %s', async (_, current, working, expected) => {
    const server = Object.assign(new Server(), {
      current,
      working,
      registered: current === undefined ? [] : [current],
    });
    await becomeCurrent(server.asked(), QUEUE, version('0.2.0'), signal);
    expect(server.current).toBe(expected);
  });

  it.each([
    ['is an older one that works', '0.1.0', ['0.1.0'], '0.1.0'],
    ['is one that nobody runs', '0.3.0', ['0.2.0'], '0.2.0'],
    ['is none', undefined, ['0.2.0'], '0.2.0'],
  ])('is left alone later on, unless nobody runs it: it %s', async (_, current, working, expected) => {
    const server = Object.assign(new Server(), { current, working, registered: ['0.2.0'] });
    await replaceAbandoned(server.asked(), QUEUE, version('0.2.0'));
    expect(server.current).toBe(expected);
  });

  it('is waited for while the server is away, which is no refusal', async () => {
    const server = Object.assign(new Server(), { registered: ['0.2.0'] });
    const { workflowService, namespace } = server.asked();
    const answers = [grpc(14), grpc(4)];
    const set = async (request: never): Promise<unknown> => {
      const failure = answers.pop();
      if (failure !== undefined) throw failure;
      return workflowService.setWorkerDeploymentCurrentVersion(request);
    };
    const away = { ...workflowService, setWorkerDeploymentCurrentVersion: set };
    const asked = { workflowService: away as unknown as Asked['workflowService'], namespace };
    await becomeCurrent(asked, QUEUE, version('0.2.0'), signal);
    expect(server.current).toBe('0.2.0');
  });

  it('is refused with what can be done when the server does not take it', async () => {
    const server = new Server();
    const { workflowService, namespace } = server.asked();
    const refusing = { ...workflowService, setWorkerDeploymentCurrentVersion: async () => Promise.reject(grpc(7)) };
    const asked = { workflowService: refusing as unknown as Asked['workflowService'], namespace };
    await expect(becomeCurrent(asked, QUEUE, version('0.2.0'), signal)).rejects.toMatchObject({
      code: 'KW581',
      hint: expect.stringContaining('matching.maxDeployments'),
    });
  });
});

describe('a run that is pinned', () => {
  it('says to which build, an override first', () => {
    const deploymentVersion = version('0.1.0');
    expect(pinnedBuild({ versioningInfo: { behavior: 1, deploymentVersion } })).toBe('0.1.0');
    const versioningOverride = { pinned: { behavior: 1, version: version('0.2.0') } };
    expect(pinnedBuild({ versioningInfo: { behavior: 1, deploymentVersion, versioningOverride } })).toBe('0.2.0');
    expect(pinnedBuild({ versioningInfo: { behavior: 2, deploymentVersion } })).toBeUndefined();
    expect(pinnedBuild({})).toBeUndefined();
  });

  it('is taken over only where its own build has no worker and ours carries it out', async () => {
    const server = new Server();
    server.working = ['0.2.0', '0.1.1'];
    server.runs = [
      { workflowId: 'kept', build: '0.1.1' },
      { workflowId: 'left', build: '0.1.0' },
      { workflowId: 'foreign', build: '0.0.9' },
    ];
    const carriesOut = async (run: { execution?: { workflowId?: string | null } | null }) =>
      run.execution?.workflowId !== 'foreign';
    expect(await takeOverAbandoned(server.asked(), QUEUE, version('0.2.0'), carriesOut)).toEqual(['left']);
    expect(server.pinnedTo).toEqual({ left: '0.2.0' });
  });

  const info = {
    execution: { workflowId: 'cluster/demo', runId: 'r' },
    taskQueue: QUEUE,
    versioningInfo: { behavior: 1, deploymentVersion: version('0.1.0') },
  };

  it('is handed over with its groups, to be aborted, when its build has no worker and the current one has', async () => {
    const server = Object.assign(new Server(), { current: '0.2.0', registered: ['0.2.0'], working: ['0.2.0'] });
    await handOver(server.asked(), info, [{ workflowId: 'group' }]);
    expect(server.pinnedTo).toEqual({ 'cluster/demo': '0.2.0', group: '0.2.0' });
  });

  it.each([
    ['its own build works', '0.2.0', ['0.1.0', '0.2.0']],
    ['nobody runs the current one', '0.2.0', []],
    ['there is no current one', undefined, ['0.2.0']],
  ])('stays where it is when %s', async (_, current, working) => {
    const server = Object.assign(new Server(), { current, working, registered: ['0.1.0'] });
    await handOver(server.asked(), info, []);
    expect(server.pinnedTo).toEqual({});
  });
});
