import { renderYaml } from '../yaml.js';

/** Asked without a login: by the load balancer (/readyz) and by the kubelet's probes of the API server's own pod. */
export const HEALTH_PATHS = ['/livez', '/readyz', '/healthz'];

/**
 * AuthenticationConfiguration: nobody but these paths answers who has no credentials. v1 since 1.34, with the condition on
 * anonymous requests (KEP-4633). It may stand beside neither `--anonymous-auth` nor the flags `--oidc-…`.
 */
export function renderAuthentication(): string {
  return renderYaml({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    anonymous: { enabled: true, conditions: HEALTH_PATHS.map((path) => ({ path })) },
  });
}
