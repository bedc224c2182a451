/**
 * A background worker, or that there is none.
 * @printedBy worker
 */
export interface WorkerObject {
  type: 'worker';
  /** Whether it runs. `worker status` prints one object a worker, or one with false when there is none. */
  running: boolean;
  /** Of a running one: its process. */
  pid?: number;
  /** Of a running one: build of Kubewright, version and commit. */
  build?: string;
  /** Of a running one: the Temporal server, host and port. */
  address?: string;
  /** Of a running one: Temporal's namespace. */
  namespace?: string;
  /** Of a running one: its task queue. */
  queue?: string;
  /** Of a running one: whether it works for the embedded server. */
  embedded?: boolean;
  /** Of a running one: whether it stays when the command that uses it leaves. */
  detached?: boolean;
  /** Of a running one: file with its log. */
  log?: string;
  /** `worker stop`: whether one was running. */
  stopped?: boolean;
  /** `worker stop`: how many were stopped. */
  workers?: number;
}

/**
 * The embedded Temporal server (or, of `server start`, the one that is used instead).
 * @printedBy server
 */
export interface ServerObject {
  type: 'server';
  /** Whether the embedded server runs; false of one elsewhere, which is not ours. */
  running: boolean;
  /** Host and port of the server. */
  address?: string;
  /** Address of its UI, where it has one. */
  ui?: string;
  /** `server status`: the service that runs it with a worker for all clusters (`server run`), where one does. */
  service?: {
    /** Its process. */
    pid: number;
    /** Build of Kubewright: version and commit. */
    build: string;
  };
  /** `server stop`: whether it was running. */
  stopped?: boolean;
  /** `server stop`: how many background workers were stopped first. */
  workers?: number;
}

/**
 * The embedded server and a worker as a service of the system.
 * @printedBy server
 */
export interface ServiceObject {
  type: 'service';
  /** What was done: `none` of `--dry-run`, and where there was nothing to remove. */
  change: 'installed' | 'changed' | 'unchanged' | 'removed' | 'none';
  /** File of the unit. */
  unit?: string;
  /** Account that it runs as. */
  user?: string;
  /** Data of the embedded server: clusters, schedules, histories. */
  stateDir?: string;
  /** File with the environment of its worker; of `uninstall-service` only where it was left. */
  environment?: string;
  /** `--dry-run`: the unit. */
  text?: string;
}

/**
 * The page that is served until Ctrl-C.
 * @printedBy dashboard
 */
export interface DashboardObject {
  type: 'dashboard';
  /** Its address, with the token that lets a browser decide: a secret as long as the page is served. */
  address: string;
}
