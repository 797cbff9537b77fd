/**
 * The authorities whose certificates this machine trusts.
 *
 * @module
 */

/**
 * Where systems keep them, the likeliest place first: Debian, Arch and their like, Fedora and its
 * like, SUSE, and Alpine, macOS and the BSDs. Windows has no such file.
 */
const BUNDLES: readonly string[] = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The certificates of the authorities that this machine's owner trusts, as PEM.
 *
 * The runtime by itself trusts those that it was built with; its own way to the system's
 * (`DENO_TLS_CA_STORE=system`) must be known before the program starts.
 *
 * @param bundles The files to look for; the first that is there counts.
 * @returns texts of one or more certificates each; none where the system has no such file.
 */
export async function systemAuthorities(bundles: readonly string[] = BUNDLES): Promise<string[]> {
  for (const path of bundles) {
    try {
      return [await Deno.readTextFile(path)];
    } catch {
      // It isn't there, or isn't for us to read: the next one, or what the runtime has.
    }
  }
  return [];
}
