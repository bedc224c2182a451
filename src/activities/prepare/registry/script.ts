import { placeOf, type RegistrySettings } from '../../../cluster/private-registry.js';

/** How long the registry may take for one answer, seconds. */
const PATIENCE = 15;

/** Every form in which a manifest may lie there. */
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * Bash that asks a registry as a runtime would, with `row`: `row registry STATUS CHALLENGE` for its API (or `row registry-failed
 * WHY`), then `row registry-image NAME STATUS` for each image. By openssl, which hosts have where they may lack curl; the login comes
 * on standard input, and is in no argument list.
 *
 * @param images names → path of the manifest at the registry
 */
export function registryScript(registry: RegistrySettings, images: ReadonlyMap<string, string>): string {
  const { scheme, host } = placeOf(registry.address);
  const [, name = host, port = scheme === 'https' ? '443' : '80'] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const isAddress = /^[0-9.]+$/.test(name);
  const verify = isAddress ? `-verify_ip ${name}` : `-verify_hostname ${name} -servername ${name}`;
  const ask =
    scheme === 'https'
      ? `openssl s_client -quiet -connect ${name}:${port} ${verify} -verify_return_error "\${authorities[@]}"`
      : `bash -c 'exec 3<>/dev/tcp/${name}/${port} && cat >&3 && cat <&3'`;
  return `look() {
IFS= read -r authorization || authorization=
authorities=()
${
  registry.ca === null
    ? ''
    : `local authority; authority=$(mktemp) && trap 'rm -f "'"$authority"'"' EXIT
cat >"$authority" <<'PEM'
${registry.ca.trim()}
PEM
authorities=(-CAfile "$authority")
`
}why=$(mktemp)
ask_registry() {
  {
    printf '%s %s HTTP/1.1\\r\\nHost: ${host}\\r\\nUser-Agent: kubewright\\r\\nConnection: close\\r\\n' "$1" "$2"
    printf 'Accept: ${ACCEPT}\\r\\n'
    [ -z "$authorization" ] || printf 'Authorization: %s\\r\\n' "$authorization"
    printf '\\r\\n'
  } | timeout ${PATIENCE} ${ask} 2>"$why" | tr -d '\\r'
}
status_of() { awk 'NR == 1 && $1 ~ /^HTTP\\// {print $2}'; }
${scheme === 'https' ? "if ! command -v openssl >/dev/null; then row registry-unasked 'it has no openssl'; return; fi\n" : ''}answer=$(ask_registry GET /v2/)
status=$(status_of <<<"$answer")
if [ -z "$status" ]; then row registry-failed "$(tr '\\n\\t' '  ' <"$why" | tail -c 300)"; rm -f "$why"; return; fi
row registry "$status" "$(awk 'tolower($1) == "www-authenticate:" {print tolower($2); exit}' <<<"$answer")"
while read -r name path; do
  row registry-image "$name" "$(ask_registry HEAD "$path" | status_of)"
done <<'IMAGES'
${[...images].map(([image, path]) => `${image} ${path}`).join('\n')}
IMAGES
rm -f "$why"
}
look
`;
}

/** Where a manifest lies. */
export function manifestPath({ repository, reference }: { repository: string; reference: string }): string {
  return `/v2/${repository}/manifests/${reference}`;
}
