/**
 * Why two sides don't agree on TLS, in words that say what can be done.
 *
 * The runtime has two implementations, each with words of its own; the first pattern that is found
 * in a message counts.
 *
 * @module
 */

const WANTS_ONE = /CertificateRequired/;

const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /UnknownIssuer|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/,
    "nobody who is trusted has signed the server's certificate (--cacert names whom to trust)",
  ],
  [
    /certificate not valid for name "([^"]*)"|ALTNAME_INVALID/,
    "the server's certificate is for another name (--sni names the one that it has)",
  ],
  [
    /CaUsedAsEndEntity/,
    "the server's certificate is that of an authority, which should only sign others (--insecure)",
  ],
  [
    /UnsupportedCertVersion/,
    "the server's certificate has the old form, which names no host (--insecure takes it)",
  ],
  [/certificate (has )?expired|Expired/i, "the server's certificate has expired"],
  [/NotValidYet|not valid yet|NOT_YET_VALID/, "the server's certificate isn't valid yet"],
  [
    WANTS_ONE,
    "the server wants a certificate (--cert and --key)",
  ],
  [
    /alert:? (UnknownCA|BadCertificate|DecryptError|unknown ca|bad certificate)/i,
    "the server doesn't accept our certificate",
  ],
  [
    /InvalidContentType|wrong version number|InvalidMessage|corrupt message/i,
    "what the server answers is no TLS",
  ],
  [/Unable to add pem/, "a certificate of those to trust is damaged"],
  [/Unable to decode certificate/, "the certificate of --cert is damaged"],
  [/handshake eof|ECONNRESET|socket hang up/i, "Server closed the connection"],
  [/ECONNREFUSED/, "Connection refused"],
  [/ENOTFOUND/, "Name or service not known"],
];

/** What is said where the server wants a certificate although there is one. */
const UNSENT = "the server wants a certificate, and this version of the runtime " +
  "sends none together with --insecure or --sni";

/**
 * The error to show instead of one of TLS.
 *
 * @param error What was thrown.
 * @param hasIdentity Whether we have a certificate.
 * @returns one with our words if it is known, else the same.
 */
export function explained(error: unknown, hasIdentity: boolean): unknown {
  if (!(error instanceof Error)) return error;
  const message = `${error.message} ${(error as { readonly code?: string }).code ?? ""}`;
  const [pattern, reason] = REASONS.find(([pattern]) => pattern.test(message)) ?? [];
  if (reason === undefined) return error;
  return new Error(hasIdentity && pattern === WANTS_ONE ? UNSENT : reason, { cause: error });
}
