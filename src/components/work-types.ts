import type { Part } from '../activities/applied/compare/index.js';
import type { AppliedNetwork } from '../activities/applied/types.js';
import type { Checked } from '../activities/prepare/checks/index.js';
import type { Problem } from '../activities/prepare/checks/problem.js';
import type { PeerFacts } from '../activities/prepare/facts/cluster-facts.js';
import type { StepContext, StepImplementation } from '../activities/types.js';
import type { Bundle, BundleImage } from '../bundle/bundle.js';
import type { Cluster, ClusterHost, Role } from '../cluster/types.js';
import type { Artifacts, PublishedManifest, SourcedImage } from './artifacts/artifacts.js';
import type { PackageState } from './distribution/types.js';

/** What a choice does on hosts besides its steps: the worker's part, `work.ts` in its folder. */
export interface ComponentWork {
  /** What stands in its way on one host, before anything is changed there; pure. */
  check(checked: Checked): Problem[];
  /** What a bundle has to hold for it on hosts of a role: by its name among the versions of bundle.json, or as a file (`bin/etcd`). */
  bundled(cluster: Cluster, role: Role): readonly string[];
  /** Images that it runs and that its own choice does not bring: full names. */
  images(cluster: Cluster): readonly string[];
  /** What stands in its way between the hosts. */
  checkTogether(context: StepContext, peers: PeerFacts[]): Promise<Problem[]>;
}

export interface LoadBalancerWork extends ComponentWork {
  /**
   * What stands in the way where the API shall be, and could be others'. It is over before hosts listen for each other at the API
   * servers' port: a balancer of others would lead to whoever listens there.
   */
  checkEndpoint(context: StepContext, peers: PeerFacts[]): Promise<Problem[]>;
  /** How the endpoint is now, as hosts see it that can be asked; changes nothing. */
  look(context: StepContext): Promise<EndpointLook>;
  /** What the preflight says of the endpoint when nothing about it is in the way: "10.88.0.100 is free or ours". */
  unobstructed(cluster: Cluster): string;
  /** What a health check says where a look has no `faults`, and what to do where there are. */
  health(cluster: Cluster): { found: string; hint: string };
}

/** How the endpoint is. */
export interface EndpointLook {
  /** What is wrong. */
  faults: string[];
  /**
   * Names of the hosts that have the virtual IP. Left out where there is none, and where nobody has it of those that could be asked
   * while others could not.
   */
  holders?: string[];
}

/** What etcd's members, and their hosts, say of them. */
export interface EtcdLook {
  /** What is wrong, also that nobody could be asked. */
  faults: string[];
  /** Whether etcd can read and write; unknown where too many members could not be asked. */
  quorum: 'yes' | 'no' | 'unknown';
  /** Whether anything was seen of a member: its list, or that it does not serve. */
  asked: boolean;
  /** Name of the host whose member leads; left out where that is not known. */
  leader?: string;
}

export interface EtcdWork extends ComponentWork {
  /** What is wrong with etcd's members now; changes nothing. */
  look(context: StepContext): Promise<EtcdLook>;
  /**
   * Asked right before a cluster begins on a host, when no control plane has one.
   *
   * @throws KubewrightError when etcd holds what a new cluster must not be begun over
   */
  refuseFormerData(context: StepContext, host: ClusterHost): Promise<void>;
}

export interface RuntimeWork extends ComponentWork {
  /**
   * Bash for what the preflight wants to know of the runtime, with `row` and `candidate` (of `hostFactsScript`): `row runtime
   * installed|candidate VERSION`, and `row containers WHOSE COUNT` for each kind of containers that it runs already.
   */
  hostFacts: string;
  /** Its package that is installed and too old for the cluster's Kubernetes, and the oldest version that is not. */
  outdated(cluster: Cluster, packages: PackageState[]): { name: string; version: string; oldest: string } | undefined;
  /**
   * Why what a bundle holds of it does not go with the cluster's Kubernetes, as a sentence without its end; undefined where it does.
   *
   * @param versions of the bundle
   */
  misfit(cluster: Cluster, versions: Readonly<Record<string, string>>): string | undefined;
  /** A step that brings images to the runtime, so that the kubelet sees them and keeps them. */
  importing(choose: (context: StepContext) => Promise<SourcedImage[]>): StepImplementation;
  /** Left out: it cannot, and goes with bundles alone. */
  copyFromImage?: CopyFromImage;
}

/** Bash for a durable command that copies programs out of an image into a directory of the host, and pulls it where it is not there. */
export type CopyFromImage = (
  cluster: Cluster,
  what: { image: string; paths: readonly string[]; directory: string },
) => string;

export interface PodNetworkWork extends ComponentWork {
  /** Manifests that it takes from its makers where no bundle has them; left out: none. */
  published?(cluster: Cluster): readonly PublishedManifest[];
  /** Whether it runs an image that a bundle has for some networks alone. */
  runsImage(cluster: Cluster, image: Pick<BundleImage, 'names' | 'network'>): boolean;
  /**
   * Command that prints what pod network a living cluster has, and nothing where it has none yet.
   *
   * @param kubectl shell words, against a certain API server
   */
  question(kubectl: string): string;
  /**
   * Command that prints something exactly where Kubewright has given a living cluster this network. Another one that the file
   * chooses now is refused, also where no record tells what was chosen before.
   */
  trace(kubectl: string): string;
  /** What the command of `question` printed; undefined where that cannot be understood. */
  read(text: string): AppliedNetwork | undefined;
  /**
   * Where the file and the living network differ.
   *
   * @param podSubnet as kubeadm keeps it; what differs there is told already
   */
  compare(cluster: Cluster, applied: AppliedNetwork | undefined, podSubnet: string): Part;
}

export interface ArtifactWork extends ComponentWork {
  /**
   * The bundle that goes onto hosts of an architecture; undefined for a source that has none.
   *
   * @throws KubewrightError KW73x when it should be there and is not
   */
  bundle(cluster: Cluster, architecture: string): Promise<Bundle | undefined>;
  /** What no host can have, for the worker does not get it. What is wrong with a bundle, each host's own check tells. */
  unavailable(published: readonly PublishedManifest[]): Promise<Problem[]>;
  /**
   * What the source has for hosts of an architecture.
   *
   * @param published manifests of the pod network, for who has none of its own
   * @throws KubewrightError where it has nothing for them
   */
  artifacts(cluster: Cluster, architecture: string, published: readonly PublishedManifest[]): Promise<Artifacts>;
}

/** For choices of which nothing is in the way. */
export const NOTHING_TO_CHECK: ComponentWork = {
  check: () => [],
  bundled: () => [],
  images: () => [],
  checkTogether: async () => [],
};
