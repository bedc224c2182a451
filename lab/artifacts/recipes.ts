import { type GoRecipe, same } from '../../src/artifacts/recipes.js';

/** Folder of the package with the modules that only rehearsals and proofs need. */
const MODULES = 'lab/artifacts/modules';

/**
 * The server that a team runs (docs/teams.md), apart from the command line that holds the development server, and the
 * tool that makes its tables: what the images `temporalio/server` and `temporalio/admin-tools` of this version hold.
 */
export const temporalServerRecipe: GoRecipe = {
  name: 'temporal-server',
  module: 'temporal-server',
  modules: MODULES,
  title: 'Temporal server 1.31.2',
  version: 'v1.31.2',
  binaries: { server: 'temporal-server', sql: 'temporal-sql-tool' },
};

/** The library that `docker compose` reads its files with, in a program of a few lines (main.go beside its go.mod). */
export const composeSpecRecipe: GoRecipe = {
  name: 'compose-spec',
  module: 'compose-spec',
  modules: MODULES,
  title: 'compose-go 2.16.2',
  version: 'v2.16.2',
  binaries: same('compose-spec'),
};

/** kubeadm's own end-to-end tests, as a program that needs nothing but a kubeconfig. */
export function kubeadmTestsRecipe(version: string): GoRecipe {
  return {
    name: 'kubeadm-tests',
    module: `kubeadm-tests-${version}`,
    modules: MODULES,
    title: `kubeadm's end-to-end tests ${version}`,
    version: `v${version}`,
    binaries: { 'e2e_kubeadm.test': 'kubeadm-tests' },
    tests: 'k8s.io/kubernetes/test/e2e_kubeadm',
  };
}

/** Kubernetes' end-to-end tests, the conformance suite among them: what its releases call `e2e.test`. */
export function conformanceTestsRecipe(version: string): GoRecipe {
  return {
    name: 'conformance-tests',
    module: `conformance-tests-${version}`,
    modules: MODULES,
    title: `Kubernetes' end-to-end tests ${version}`,
    version: `v${version}`,
    binaries: { 'e2e.test': 'conformance-tests' },
    tests: 'k8s.io/kubernetes/test/e2e',
  };
}
