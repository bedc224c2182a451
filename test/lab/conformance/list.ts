/**
 * The fixed part of Kubernetes' conformance suite that the demo's cluster is held to, by area: names as
 * test/conformance/testdata/conformance.yaml of the release has them.
 *
 * What decides that a test is here: it asks something of what Kubewright sets up (DNS, kube-proxy, the pod network between
 * hosts, the scheduler with its kubeconfig), it needs no image but agnhost, pause and the one for DNS, nothing outside of the
 * cluster, no more than the demo's two workers, and less than a minute. So the tests of EndpointSlices with pods (they run
 * nginx), of preemption (each waits a minute for add-ons of Google's cloud) and of conflicts of host ports (five minutes) are
 * not.
 */
export const CONFORMANCE = {
  DNS: [
    '[sig-network] DNS should provide DNS for the cluster [Conformance]',
    '[sig-network] DNS should provide DNS for services [Conformance]',
    '[sig-network] DNS should resolve DNS of partial qualified names for services [LinuxOnly] [Conformance]',
    '[sig-network] DNS should provide DNS for pods for Hostname [Conformance]',
    '[sig-network] DNS should provide DNS for ExternalName services [Conformance]',
    '[sig-network] DNS should support configurable pod DNS nameservers [Conformance]',
  ],
  Services: [
    '[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]',
    '[sig-network] Services should serve a basic endpoint from pods [Conformance]',
    '[sig-network] Services should serve multiport endpoints from pods [Conformance]',
    '[sig-network] Services should serve endpoints on same port and different protocols [Conformance]',
    '[sig-network] Services should be able to create a functioning NodePort service [Conformance]',
    '[sig-network] Services should be able to change the type from NodePort to ExternalName [Conformance]',
    '[sig-network] Services should have session affinity work for NodePort service [LinuxOnly] [Conformance]',
  ],
  'networking between nodes': [
    '[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: http [Conformance] [NodeConformance]',
    '[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [Conformance] [NodeConformance]',
    '[sig-network] Networking Granular Checks: Pods should function for node-pod communication: http [LinuxOnly] [Conformance] [NodeConformance]',
    '[sig-network] Networking Granular Checks: Pods should function for node-pod communication: udp [LinuxOnly] [Conformance] [NodeConformance]',
    '[sig-network] HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly] [Conformance]',
  ],
  scheduling: [
    '[sig-scheduling] SchedulerPredicates validates resource limits of pods that are allowed to run [Conformance] [Serial]',
    '[sig-scheduling] SchedulerPredicates validates that NodeSelector is respected if matching [Conformance] [Serial]',
    '[sig-scheduling] SchedulerPredicates validates that NodeSelector is respected if not matching [Conformance] [Serial]',
    '[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied. [Conformance]',
  ],
} as const satisfies Record<string, readonly string[]>;

export type Area = keyof typeof CONFORMANCE;

export const AREAS = Object.keys(CONFORMANCE) as Area[];
export const ALL_NAMES: string[] = AREAS.flatMap((area) => [...CONFORMANCE[area]]);
