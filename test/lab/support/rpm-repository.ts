import type { DebPackage } from './deb-repository.js';

/** Makes a Debian that calls itself a Rocky Linux, with the real dnf and rpm, and what makes packages and signs them. */
export const RPM_TOOLS = `set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends dnf dnf-plugins-core rpm createrepo-c gnupg >/dev/null
# As on RHEL 9, whose dnf 4.14 this is too; Debian has its database in the home directory.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
printf '[main]\\ngpgcheck=1\\nbest=True\\nskip_if_unavailable=False\\n' >/etc/dnf/dnf.conf
printf '[main]\\nenabled=0\\n' >/etc/dnf/plugins/local.conf
printf 'ID="rocky"\\nID_LIKE="rhel centos fedora"\\nVERSION_ID="9.4"\\nPRETTY_NAME="Rocky Linux 9.4"\\n' >/root/os-release
ln -sf /root/os-release /etc/os-release
rpm --initdb
`;

/** Bash that makes signed packages and their list, with the key in /root/signer.asc, and prints the folder as a tar in base64. */
export function rpmScript(packages: readonly Pick<DebPackage, 'name' | 'version'>[]): string {
  const made = packages.map(({ name, version }) => `make ${name} ${version.replace('-', ' ')}`);
  return `set -e
export GNUPGHOME=/root/gnupg
mkdir -m 700 $GNUPGHOME
gpg --batch --quiet --import /root/signer.asc
mkdir -p /root/specs /root/repo
make() {
  cat >"/root/specs/$1-$2.spec" <<SPEC
Name: $1
Version: $2
Release: $3
Summary: $1
License: none
AutoReqProv: no
%description
$1
%install
mkdir -p %{buildroot}/usr/bin
printf '#!/bin/sh\\necho $1\\n' >%{buildroot}/usr/bin/$1
chmod 755 %{buildroot}/usr/bin/$1
%files
/usr/bin/$1
SPEC
  rpmbuild -bb --quiet --define '_topdir /root/build' --define '_rpmdir /root/repo' "/root/specs/$1-$2.spec" >&2
}
${made.join('\n')}
rpmsign --define '__gpg /usr/bin/gpg' --define '_gpg_name mirror' --addsign /root/repo/*/*.rpm >&2
createrepo_c -q /root/repo
tar -C /root/repo -cz . | base64 -w 0
gpgconf --kill all
rm -rf /root/gnupg /root/signer.asc /root/specs /root/build /root/repo
`;
}
