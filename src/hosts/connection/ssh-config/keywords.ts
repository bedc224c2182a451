/**
 * What Kubewright does with each keyword of ssh_config(5). Every keyword is in exactly one of these lists; one that is in
 * none is refused where it applies, for nobody knows what it would have changed.
 */

/** Honoured, the first value counts. */
export const SINGLE = [
  'hostname',
  'port',
  'user',
  'identitiesonly',
  'identityagent',
  'hostkeyalias',
  'userknownhostsfile',
  'globalknownhostsfile',
  'canonicalizemaxdots',
  'ignoreunknown',
] as const;

/** Honoured, every value counts. */
export const COLLECTED = ['identityfile', 'certificatefile'] as const;

/** Those that take several arguments. */
export const LISTS: ReadonlySet<string> = new Set([
  'userknownhostsfile',
  'globalknownhostsfile',
  'canonicalizepermittedcnames',
  'knownhostscommand',
]);

/** One slot for the two: whichever comes first counts. */
export const PROXY = ['proxyjump', 'proxycommand'] as const;

/**
 * Refused where they apply with another value than these: they would need a program, a look-up in the network or a
 * feature that the built-in client lacks.
 */
export const REFUSED: Readonly<Record<string, readonly string[]>> = {
  canonicalizehostname: ['no', 'false'],
  canonicalizepermittedcnames: ['none'],
  knownhostscommand: ['none'],
  pkcs11provider: ['none'],
  revokedhostkeys: ['none'],
  pubkeyauthentication: ['yes', 'true', 'unbound', 'host-bound'],
  bindaddress: [],
  bindinterface: [],
  refuseconnection: [],
};

/**
 * Ignored: they say how a terminal, a forwarding, an agent's upkeep or a shared connection behaves, offer logins that need
 * a person, choose among algorithms, or loosen checks that Kubewright does not loosen.
 */
export const IGNORED: ReadonlySet<string> = new Set(
  `addkeystoagent addressfamily batchmode canonicaldomains canonicalizefallbacklocal casignaturealgorithms channeltimeout
   checkhostip ciphers clearallforwardings compression connectionattempts connecttimeout controlmaster controlpath
   controlpersist dynamicforward enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fingerprinthash
   forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports gssapiauthentication
   gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
   gssapiserveridentity gssapitrustdns hashknownhosts hostbasedacceptedalgorithms hostbasedauthentication
   hostbasedkeytypes hostkeyalgorithms ipqos kbdinteractiveauthentication kbdinteractivedevices
   kexalgorithms localcommand localforward loglevel logverbose macs nohostauthenticationforlocalhost
   numberofpasswordprompts obscurekeystroketiming passwordauthentication permitlocalcommand permitremoteopen
   preferredauthentications proxyusefdpass pubkeyacceptedalgorithms pubkeyacceptedkeytypes rekeylimit
   remotecommand remoteforward requesttty requiredrsasize securitykeyprovider sendenv serveralivecountmax
   serveraliveinterval sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking
   syslogfacility tag tcpkeepalive tunnel tunneldevice updatehostkeys usekeychain verifyhostkeydns versionaddendum
   visualhostkey warnweakcrypto xauthlocation
   afstokenpassing challengeresponseauthentication cipher compressionlevel dsaauthentication fallbacktorsh
   globalknownhostsfile2 kerberosauthentication kerberostgtpassing protocol rhostsauthentication rhostsrsaauthentication
   rsaauthentication skeyauthentication smartcarddevice tisauthentication usersh useprivilegedport useroaming
   userknownhostsfile2`.split(/\s+/),
);
