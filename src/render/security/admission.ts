import type { PodSecuritySettings } from '../../cluster/security/settings.js';
import { renderYaml } from '../yaml.js';

/** Defaults of Pod Security admission. Labels of a namespace override them; exempt namespaces are not looked at. */
export function renderAdmission({ enforce, audit, warn, exemptNamespaces }: PodSecuritySettings): string {
  return renderYaml({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [
      {
        name: 'PodSecurity',
        configuration: {
          apiVersion: 'pod-security.admission.config.k8s.io/v1',
          kind: 'PodSecurityConfiguration',
          defaults: {
            enforce,
            'enforce-version': 'latest',
            audit,
            'audit-version': 'latest',
            warn,
            'warn-version': 'latest',
          },
          exemptions: { usernames: [], runtimeClasses: [], namespaces: exemptNamespaces },
        },
      },
    ],
  });
}
